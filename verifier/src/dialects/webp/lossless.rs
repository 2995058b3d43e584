//! The bitstream of lossless WebP (RFC 9649, 3), decoded in full, though transforms need not be undone: pixels are held
//! only where they choose the codes of the rest.

use super::codes::Code;
use crate::bits::{Bits, low};
use crate::dialects::picture::canvas;
use crate::{Limits, Rejection};
use model::Policy;
use std::collections::BTreeSet;

/// Lengths have 24 prefix symbols, distances 40 (3.6.2.2).
const LENGTHS: usize = 24;
const DISTANCES: usize = 40;

pub(super) struct Image {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) alpha: bool,
}

/// Reads the data of a VP8L chunk.
pub(super) fn read(data: &[u8], policy: &Policy, limits: &mut Limits) -> Result<Image, Rejection> {
    let mut bits = Bits::new(data);
    if bits.get(8)? != 0x2F {
        return Err(bits.reject("RFC 9649 3.4: signature"));
    }
    let (width, height) = (bits.get(14)?.saturating_add(1), bits.get(14)?.saturating_add(1));
    let alpha = bits.get(1)? == 1;
    if bits.get(3)? != 0 {
        return Err(bits.reject("RFC 9649 3.4: version"));
    }
    canvas(width, height, policy)?;
    let mut decoder = Decoder { bits, limits };
    let inner = decoder.transforms(width, height)?;
    decoder.main(inner, height)?;
    let mut bits = decoder.bits;
    bits.align()?;
    if bits.consumed() != data.len() {
        return Err(bits.reject("our dialect: data after the last pixel"));
    }
    Ok(Image { width, height, alpha })
}

/// The five codes that a part of the image uses.
struct Group {
    green: Code,
    red: Code,
    blue: Code,
    alpha: Code,
    distance: Code,
}

/// Width of blocks of `1 << bits` pixels, in blocks.
const fn blocks(len: u32, bits: u32) -> u32 {
    len.div_ceil(1 << (bits & 15))
}

struct Decoder<'a, 'l> {
    bits: Bits<'a>,
    limits: &'l mut Limits,
}

impl Decoder<'_, '_> {
    /// 3.5. Returns the width of the image that is really coded.
    fn transforms(&mut self, width: u32, height: u32) -> Result<u32, Rejection> {
        let mut width = width;
        let mut seen = [false; 4];
        while self.bits.get(1)? == 1 {
            let kind = self.bits.get(2)?;
            match seen.get_mut(kind as usize) {
                Some(seen) if !*seen => *seen = true,
                _ => return Err(self.bits.reject("RFC 9649 3.5: a transform comes twice")),
            }
            match kind {
                0 | 1 => {
                    let size = self.bits.get(3)?.saturating_add(2);
                    self.sub_image(blocks(width, size), blocks(height, size))?;
                }
                2 => {}
                _ => {
                    let entries = self.bits.get(8)?.saturating_add(1);
                    self.sub_image(entries, 1)?;
                    width = match entries {
                        1..=2 => blocks(width, 3),
                        3..=4 => blocks(width, 2),
                        5..=16 => blocks(width, 1),
                        _ => width,
                    };
                }
            }
        }
        Ok(width)
    }

    /// An entropy-coded image: the data of a transform, or the choice of codes (3.7.3).
    fn sub_image(&mut self, width: u32, height: u32) -> Result<Vec<u32>, Rejection> {
        let cache = self.cache_bits()?;
        let group = self.group(cache)?;
        let mut kept = Kept { pixels: Vec::new(), cache: vec![0; cache.map_or(0, |bits| 1 << bits)], bits: cache };
        self.pixels(width, height, &[group], None, Some(&mut kept))?;
        Ok(kept.pixels)
    }

    /// The image itself.
    fn main(&mut self, width: u32, height: u32) -> Result<(), Rejection> {
        let cache = self.cache_bits()?;
        let mut choice = None;
        let mut groups = 1;
        if self.bits.get(1)? == 1 {
            let size = self.bits.get(3)?.saturating_add(2);
            let across = blocks(width, size);
            let map = self.sub_image(across, blocks(height, size))?;
            // The number of the group is in red and green.
            let number = |pixel: &u32| u16::try_from(pixel >> 8 & 0xFFFF).unwrap_or_default();
            let map: Vec<u16> = map.iter().map(number).collect();
            groups = map.iter().max().map_or(1, |most| usize::from(*most).saturating_add(1));
            // A group that no block uses would be a place to hide in, and cheap to ask for by the ten thousand.
            let used: BTreeSet<u16> = map.iter().copied().collect();
            if used.len() != groups {
                return Err(self.bits.reject("our dialect: codes that no block uses"));
            }
            choice = Some(Choice { map, across, size });
        }
        let mut all = Vec::new();
        for _ in 0..groups {
            all.push(self.group(cache)?);
        }
        self.pixels(width, height, &all, choice.as_ref(), None)
    }

    /// 3.6.2.3.
    fn cache_bits(&mut self) -> Result<Option<u32>, Rejection> {
        if self.bits.get(1)? == 0 {
            return Ok(None);
        }
        match self.bits.get(4)? {
            bits @ 1..=11 => Ok(Some(bits)),
            _ => Err(self.bits.reject("RFC 9649 3.6.2.3: colour cache bits")),
        }
    }

    fn group(&mut self, cache: Option<u32>) -> Result<Group, Rejection> {
        let green = LENGTHS.saturating_add(256).saturating_add(cache.map_or(0, |bits| 1 << bits));
        let mut code = |alphabet| Code::read(&mut self.bits, alphabet, self.limits);
        Ok(Group {
            green: code(green)?,
            red: code(256)?,
            blue: code(256)?,
            alpha: code(256)?,
            distance: code(DISTANCES)?,
        })
    }

    /// The pixels of an image (3.6), kept only where `kept` is given.
    fn pixels(
        &mut self,
        width: u32,
        height: u32,
        groups: &[Group],
        choice: Option<&Choice>,
        mut kept: Option<&mut Kept>,
    ) -> Result<(), Rejection> {
        let total = (width as usize).saturating_mul(height as usize);
        self.limits.spend(total.saturating_mul(4))?;
        let mut at = 0usize;
        let mut place = Place { x: 0, y: 0, width };
        let mut group = pick(groups, choice, &place).ok_or_else(|| self.bits.reject("code group"))?;
        while at < total {
            if choice.is_some_and(|choice| place.x & choice.mask() == 0) {
                group = pick(groups, choice, &place).ok_or_else(|| self.bits.reject("code group"))?;
            }
            self.bits.refill();
            let symbol = group.green.symbol(&mut self.bits)?;
            let n = match symbol {
                0..=255 => {
                    let red = group.red.symbol(&mut self.bits)?;
                    let blue = group.blue.symbol(&mut self.bits)?;
                    self.bits.refill();
                    let alpha = group.alpha.symbol(&mut self.bits)?;
                    if let Some(kept) = kept.as_deref_mut() {
                        kept.push(alpha << 24 | red << 16 | symbol << 8 | blue);
                    }
                    1
                }
                256..=279 => {
                    let len = self.prefix_value(symbol.saturating_sub(256))? as usize;
                    self.bits.refill();
                    let prefix = group.distance.symbol(&mut self.bits)?;
                    let distance = distance(self.prefix_value(prefix)?, width);
                    if distance > at || len > total.saturating_sub(at) {
                        return Err(self.bits.reject("RFC 9649 3.6.2.2: copy from outside the image, or out of it"));
                    }
                    if let Some(kept) = kept.as_deref_mut() {
                        kept.repeat(distance, len);
                    }
                    len
                }
                _ => {
                    if let Some(kept) = kept.as_deref_mut() {
                        kept.push(kept.cache.get(symbol.saturating_sub(280) as usize).copied().unwrap_or_default());
                    }
                    1
                }
            };
            at = at.saturating_add(n);
            if choice.is_some() && place.advance(n) {
                group = pick(groups, choice, &place).unwrap_or(group);
            }
        }
        Ok(())
    }

    /// 3.6.2.2: a length or a distance code of this prefix symbol (below 40). At most 18 extra bits.
    #[inline(always)]
    fn prefix_value(&mut self, symbol: u32) -> Result<u32, Rejection> {
        if symbol < 4 {
            return Ok(symbol.saturating_add(1));
        }
        let extra = symbol.saturating_sub(2) >> 1;
        let base = (2u32.saturating_add(symbol & 1)) << (extra & 31);
        self.bits.refill();
        let value = low(self.bits.held, extra);
        self.bits.drop(extra)?;
        Ok(base.saturating_add(value).saturating_add(1))
    }
}

/// Which group of codes a block of the image uses (3.7.3).
struct Choice {
    map: Vec<u16>,
    across: u32,
    size: u32,
}

impl Choice {
    const fn mask(&self) -> u32 {
        (1u32 << (self.size & 15)).saturating_sub(1)
    }
}

struct Place {
    x: u32,
    y: u32,
    width: u32,
}

impl Place {
    /// Goes on by `n` pixels, and says whether more than one block may have been crossed.
    #[inline(always)]
    fn advance(&mut self, n: usize) -> bool {
        let x = (self.x as usize).saturating_add(n);
        let width = (self.width as usize).max(1);
        if x < width {
            self.x = u32::try_from(x).unwrap_or_default();
            return n > 1;
        }
        self.x = u32::try_from(x.checked_rem(width).unwrap_or_default()).unwrap_or_default();
        let rows = x.checked_div(width).unwrap_or_default();
        self.y = self.y.saturating_add(u32::try_from(rows).unwrap_or_default());
        true
    }
}

/// The group for a place; past the last pixel there may be none.
fn pick<'g>(groups: &'g [Group], choice: Option<&Choice>, place: &Place) -> Option<&'g Group> {
    let Some(choice) = choice else { return groups.first() };
    let column = (place.x >> (choice.size & 31)) as usize;
    let row = (place.y >> (choice.size & 31)) as usize;
    let at = row.checked_mul(choice.across as usize)?.checked_add(column)?;
    groups.get(usize::from(*choice.map.get(at)?))
}

/// Pixels that are needed, and their colour cache.
struct Kept {
    pixels: Vec<u32>,
    cache: Vec<u32>,
    bits: Option<u32>,
}

impl Kept {
    fn push(&mut self, pixel: u32) {
        self.pixels.push(pixel);
        if let Some(bits) = self.bits {
            let key = pixel.wrapping_mul(0x1E35_A7BD) >> (32u32.saturating_sub(bits) & 31);
            if let Some(slot) = self.cache.get_mut(key as usize) {
                *slot = pixel;
            }
        }
    }

    fn repeat(&mut self, distance: usize, len: usize) {
        for _ in 0..len {
            let from = self.pixels.len().saturating_sub(distance);
            self.push(self.pixels.get(from).copied().unwrap_or_default());
        }
    }
}

/// 3.6.2.2.1: small codes are places nearby, in the order of the table; others are distances in scan order.
fn distance(code: u32, width: u32) -> usize {
    let code = code as usize;
    let Some((x, y)) = NEARBY.get(code.saturating_sub(1)) else { return code.saturating_sub(NEARBY.len()) };
    let back = i64::from(*y).saturating_mul(i64::from(width)).saturating_add(i64::from(*x));
    usize::try_from(back.max(1)).unwrap_or(1)
}

pub(super) const NEARBY: [(i8, i8); 120] = [
    (0, 1),
    (1, 0),
    (1, 1),
    (-1, 1),
    (0, 2),
    (2, 0),
    (1, 2),
    (-1, 2),
    (2, 1),
    (-2, 1),
    (2, 2),
    (-2, 2),
    (0, 3),
    (3, 0),
    (1, 3),
    (-1, 3),
    (3, 1),
    (-3, 1),
    (2, 3),
    (-2, 3),
    (3, 2),
    (-3, 2),
    (0, 4),
    (4, 0),
    (1, 4),
    (-1, 4),
    (4, 1),
    (-4, 1),
    (3, 3),
    (-3, 3),
    (2, 4),
    (-2, 4),
    (4, 2),
    (-4, 2),
    (0, 5),
    (3, 4),
    (-3, 4),
    (4, 3),
    (-4, 3),
    (5, 0),
    (1, 5),
    (-1, 5),
    (5, 1),
    (-5, 1),
    (2, 5),
    (-2, 5),
    (5, 2),
    (-5, 2),
    (4, 4),
    (-4, 4),
    (3, 5),
    (-3, 5),
    (5, 3),
    (-5, 3),
    (0, 6),
    (6, 0),
    (1, 6),
    (-1, 6),
    (6, 1),
    (-6, 1),
    (2, 6),
    (-2, 6),
    (6, 2),
    (-6, 2),
    (4, 5),
    (-4, 5),
    (5, 4),
    (-5, 4),
    (3, 6),
    (-3, 6),
    (6, 3),
    (-6, 3),
    (0, 7),
    (7, 0),
    (1, 7),
    (-1, 7),
    (5, 5),
    (-5, 5),
    (7, 1),
    (-7, 1),
    (4, 6),
    (-4, 6),
    (6, 4),
    (-6, 4),
    (2, 7),
    (-2, 7),
    (7, 2),
    (-7, 2),
    (3, 7),
    (-3, 7),
    (7, 3),
    (-7, 3),
    (5, 6),
    (-5, 6),
    (6, 5),
    (-6, 5),
    (8, 0),
    (4, 7),
    (-4, 7),
    (7, 4),
    (-7, 4),
    (8, 1),
    (8, 2),
    (6, 6),
    (-6, 6),
    (8, 3),
    (5, 7),
    (-5, 7),
    (7, 5),
    (-7, 5),
    (8, 4),
    (6, 7),
    (-6, 7),
    (7, 6),
    (-7, 6),
    (8, 5),
    (7, 7),
    (-7, 7),
    (8, 6),
    (8, 7),
];
