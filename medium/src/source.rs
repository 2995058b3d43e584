//! Reads of the medium: bounded, cached a little, and paid for.

use model::{Reason, ReasonCode};
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::rc::Rc;

/// Something of a size that can be read at any place: a device, an image.
pub trait ReadAt {
    /// Its size in bytes.
    fn size(&self) -> u64;
    /// Fills `buffer` from `at`.
    ///
    /// # Errors
    /// What the device says; fewer bytes than asked for are an error.
    fn read_exact_at(&self, buffer: &mut [u8], at: u64) -> io::Result<()>;
}

/// What one job may ask of the medium. Every read costs one and its bytes, whether a cache answers or not: a parser that
/// is led in circles runs out of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Reads.
    pub reads: u64,
    /// Bytes.
    pub bytes: u64,
}

/// Ours: a block of the cache. Reads of at least as much go past it.
const BLOCK: u64 = 64 << 10;
/// Ours: 4 MiB of cache, several folders and tables at once.
const BLOCKS: usize = 64;

/// A part of the medium, with the medium's cache and allowance.
#[derive(Clone)]
pub(crate) struct Source {
    medium: Rc<Medium>,
    start: u64,
    len: u64,
}

struct Medium {
    from: Box<dyn ReadAt>,
    left: Cell<Allowance>,
    exhausted: Cell<bool>,
    blocks: RefCell<Blocks>,
}

#[derive(Default)]
struct Blocks {
    held: HashMap<u64, Vec<u8>>,
    order: VecDeque<u64>,
}

/// What the medium says makes no sense.
pub(crate) fn damaged(what: &str) -> Reason {
    Reason::new(ReasonCode::Malformed, &format!("the medium's file system is damaged or lies: {what}"))
}

/// It does make sense, to others.
pub(crate) fn unsupported(what: &str) -> Reason {
    Reason::new(ReasonCode::UnsupportedFeature, what)
}

/// Too much of it.
pub(crate) fn too_much(what: &str) -> Reason {
    Reason::new(ReasonCode::Limit, what)
}

impl Source {
    pub(crate) fn new(from: Box<dyn ReadAt>, allowance: Allowance) -> Self {
        let len = from.size();
        let medium = Medium {
            from,
            left: Cell::new(allowance),
            exhausted: Cell::new(false),
            blocks: RefCell::new(Blocks::default()),
        };
        Self { medium: Rc::new(medium), start: 0, len }
    }

    /// The `len` bytes from `start`, as a source of their own.
    pub(crate) fn part(&self, start: u64, len: u64) -> Result<Self, Reason> {
        let beyond = || damaged("a volume reaches beyond the medium");
        start.checked_add(len).filter(|end| *end <= self.len).ok_or_else(beyond)?;
        let start = self.start.checked_add(start).ok_or_else(beyond)?;
        Ok(Self { medium: Rc::clone(&self.medium), start, len })
    }

    pub(crate) const fn len(&self) -> u64 {
        self.len
    }

    /// Whether the allowance ran out: the one reason that outweighs what a parser says.
    pub(crate) fn exhausted(&self) -> Option<Reason> {
        self.medium.exhausted.get().then(|| too_much("reading this medium takes more reads than any sound one needs"))
    }

    /// Fills `buffer` from `at`.
    pub(crate) fn read(&self, buffer: &mut [u8], at: u64) -> Result<(), Reason> {
        let len = u64::try_from(buffer.len()).unwrap_or(u64::MAX);
        let beyond = || damaged("it points beyond its end");
        at.checked_add(len).filter(|end| *end <= self.len).ok_or_else(beyond)?;
        let at = self.start.checked_add(at).ok_or_else(beyond)?;
        self.spend(len)?;
        if len >= BLOCK { self.medium.fetch(buffer, at) } else { self.medium.through_blocks(buffer, at) }
    }

    /// `N` bytes from `at`.
    pub(crate) fn array<const N: usize>(&self, at: u64) -> Result<[u8; N], Reason> {
        let mut array = [0; N];
        self.read(&mut array, at).map(|()| array)
    }

    /// `len` bytes from `at`; the caller bounds `len`.
    pub(crate) fn bytes(&self, at: u64, len: u64) -> Result<Vec<u8>, Reason> {
        if at.checked_add(len).is_none_or(|end| end > self.len) {
            return Err(damaged("it points beyond its end"));
        }
        let mut bytes = vec![0; usize::try_from(len).map_err(|_| too_much("a structure that fills the memory"))?];
        self.read(&mut bytes, at).map(|()| bytes)
    }

    fn spend(&self, len: u64) -> Result<(), Reason> {
        let Allowance { reads, bytes } = self.medium.left.get();
        match (reads.checked_sub(1), bytes.checked_sub(len)) {
            (Some(reads), Some(bytes)) => self.medium.left.set(Allowance { reads, bytes }),
            _ => self.medium.exhausted.set(true),
        }
        self.exhausted().map_or(Ok(()), Err)
    }
}

impl Medium {
    fn fetch(&self, buffer: &mut [u8], at: u64) -> Result<(), Reason> {
        let failed = |error: io::Error| {
            Reason::new(ReasonCode::Unreadable, &format!("the medium cannot be read at byte {at}: {error}"))
        };
        self.from.read_exact_at(buffer, at).map_err(failed)
    }

    /// Small reads go through blocks that are kept for a while, the oldest out first.
    fn through_blocks(&self, buffer: &mut [u8], at: u64) -> Result<(), Reason> {
        let mut blocks = self.blocks.borrow_mut();
        let (mut at, mut rest) = (at, buffer);
        while !rest.is_empty() {
            let number = at.checked_div(BLOCK).unwrap_or(0);
            let begins = number.saturating_mul(BLOCK);
            if !blocks.held.contains_key(&number) {
                let size = self.from.size().saturating_sub(begins).min(BLOCK);
                let mut block = vec![0; usize::try_from(size).unwrap_or(0)];
                self.fetch(&mut block, begins)?;
                if blocks.order.len() >= BLOCKS
                    && let Some(oldest) = blocks.order.pop_front()
                {
                    blocks.held.remove(&oldest);
                }
                blocks.order.push_back(number);
                blocks.held.insert(number, block);
            }
            let from = usize::try_from(at.saturating_sub(begins)).unwrap_or(usize::MAX);
            let block = blocks.held.get(&number).and_then(|block| block.get(from..)).unwrap_or_default();
            let count = block.len().min(rest.len());
            let (Some(have), true) = (block.get(..count), count > 0) else { return Err(damaged("it ends too early")) };
            let (now, later) = rest.split_at_mut(count);
            now.copy_from_slice(have);
            (rest, at) = (later, at.saturating_add(u64::try_from(count).unwrap_or(0)));
        }
        Ok(())
    }
}

/// Where a file's bytes go.
pub(crate) type Sink<'a> = &'a mut dyn FnMut(&[u8]) -> Result<(), Reason>;

/// Ours: a piece of a file on its way; large enough that calls don't count.
const PIECE: u64 = 512 << 10;

/// Streams byte ranges of `source`.
pub(crate) fn stream(source: &Source, ranges: &[(u64, u64)], sink: Sink<'_>) -> Result<(), Reason> {
    let mut buffer = Vec::new();
    for (start, len) in ranges {
        let (mut at, mut left) = (*start, *len);
        while left > 0 {
            let count = left.min(PIECE);
            buffer.resize(usize::try_from(count).unwrap_or(0), 0);
            source.read(&mut buffer, at)?;
            sink(&buffer)?;
            (at, left) = (at.saturating_add(count), left.saturating_sub(count));
        }
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "tests")]
pub(crate) mod tests {
    use super::*;

    impl ReadAt for Vec<u8> {
        fn size(&self) -> u64 {
            self.len() as u64
        }

        fn read_exact_at(&self, buffer: &mut [u8], at: u64) -> io::Result<()> {
            let from = self.get(at as usize..).and_then(|rest| rest.get(..buffer.len()));
            buffer.copy_from_slice(from.ok_or(io::ErrorKind::UnexpectedEof)?);
            Ok(())
        }
    }

    pub(crate) fn source(bytes: Vec<u8>) -> Source {
        Source::new(Box::new(bytes), Allowance { reads: 1 << 20, bytes: 1 << 30 })
    }

    #[test]
    fn any_range_reads_the_same_bytes_and_none_beyond() {
        let bytes: Vec<u8> = (0..300_000_u32).map(|n| (n % 251) as u8).collect();
        let part = source(bytes.clone()).part(1_000, 200_000).unwrap();
        for (at, len) in [(0, 5), (64_530, 3), (64_000, 140_000 - 64_000), (0, 200_000), (199_999, 1), (200_000, 0)] {
            assert_eq!(part.bytes(at, len).unwrap(), bytes[1_000 + at as usize..][..len as usize]);
        }
        for (at, len) in [(200_000, 1), (u64::MAX, 2), (0, 200_001)] {
            assert!(part.bytes(at, len).is_err());
        }
        assert!(part.part(1, 200_000).is_err());
    }

    #[test]
    fn reads_are_paid_for_even_when_the_cache_answers() {
        let source = Source::new(Box::new(vec![7; 100]), Allowance { reads: 3, bytes: 100 });
        assert!((0..3).all(|_| source.array::<1>(0).is_ok()));
        assert_eq!(source.array::<1>(0).unwrap_err().code, ReasonCode::Limit);
        let source = Source::new(Box::new(vec![7; 100]), Allowance { reads: 100, bytes: 10 });
        assert!(source.array::<10>(0).is_ok() && source.array::<1>(0).is_err() && source.exhausted().is_some());
    }
}
