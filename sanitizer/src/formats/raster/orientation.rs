//! EXIF orientation: the one value of a picture's metadata that changes how it looks.
//!
//! Source: EXIF 2.32, 4.6.4 (tag 0x0112). Nothing else of the block is read; no offset but that of the first directory
//! is followed.

/// One of the eight ways to lay a picture down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Orientation(u8);

/// Ours: cameras write some thirty entries.
const MOST_ENTRIES: usize = 512;
const TAG: u16 = 0x0112;

impl Orientation {
    /// As it is.
    pub(crate) const UPRIGHT: Self = Self(1);

    /// The orientation with this number; `None` outside of 1 to 8.
    pub(crate) const fn new(value: u16) -> Option<Self> {
        match value {
            1..=8 => Some(Self(value.to_le_bytes()[0])),
            _ => None,
        }
    }

    /// The orientation of a bare EXIF block (a TIFF header and its first directory); upright where it says nothing
    /// that can be understood.
    pub(crate) fn of_exif(block: &[u8]) -> Self {
        let block = block.strip_prefix(b"Exif\0\0").unwrap_or(block);
        Self::read(block).unwrap_or(Self::UPRIGHT)
    }

    fn read(block: &[u8]) -> Option<Self> {
        let little = match block.get(..4)? {
            [b'I', b'I', 42, 0] => true,
            [b'M', b'M', 0, 42] => false,
            _ => return None,
        };
        let u16_of = |b: [u8; 2]| {
            if little { u16::from_le_bytes(b) } else { u16::from_be_bytes(b) }
        };
        let start = block.get(4..)?.first_chunk::<4>().copied()?;
        let start = if little { u32::from_le_bytes(start) } else { u32::from_be_bytes(start) };
        let directory = block.get(usize::try_from(start).ok()?..)?;
        let (count, entries) = directory.split_first_chunk::<2>()?;
        let count = usize::from(u16_of(*count)).min(MOST_ENTRIES);
        let (entries, _) = entries.as_chunks::<12>();
        let entry = entries.iter().take(count).find(|e| u16_of([e[0], e[1]]) == TAG)?;
        Self::new(u16_of([entry[8], entry[9]]))
    }

    /// Whether width and height change places.
    pub(crate) const fn turns(self) -> bool {
        self.0 >= 5
    }

    /// The size of a picture after it was laid down.
    pub(crate) const fn size(self, width: u32, height: u32) -> (u32, u32) {
        if self.turns() { (height, width) } else { (width, height) }
    }

    /// Moves every pixel of `from` (`width` x `height`, `step` bytes each) to where it belongs. A buffer that is too
    /// short leaves black.
    #[expect(clippy::arithmetic_side_effects, reason = "x < w and y < h; w * h * step is the length of a buffer held")]
    pub(crate) fn apply(self, from: &[u8], width: u32, height: u32, step: usize) -> Vec<u8> {
        let (w, h) = (width as usize, height as usize);
        let mut to = Vec::with_capacity(from.len());
        let (out_w, out_h) = if self.turns() { (h, w) } else { (w, h) };
        let blank = vec![0u8; step];
        for v in 0..out_h {
            for u in 0..out_w {
                let (x, y) = match self.0 {
                    2 => (w - 1 - u, v),
                    3 => (w - 1 - u, h - 1 - v),
                    4 => (u, h - 1 - v),
                    5 => (v, u),
                    6 => (v, h - 1 - u),
                    7 => (w - 1 - v, h - 1 - u),
                    8 => (w - 1 - v, u),
                    _ => (u, v),
                };
                let at = (y * w + x) * step;
                to.extend_from_slice(from.get(at..at + step).unwrap_or(&blank));
            }
        }
        to
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn laid(value: u16) -> Vec<u8> {
        Orientation::new(value).unwrap().apply(&[1, 2, 3, 4, 5, 6], 3, 2, 1)
    }

    #[test]
    fn the_eight_ways_follow_the_standard() {
        assert_eq!(laid(1), [1, 2, 3, 4, 5, 6]);
        assert_eq!(laid(2), [3, 2, 1, 6, 5, 4]);
        assert_eq!(laid(3), [6, 5, 4, 3, 2, 1]);
        assert_eq!(laid(4), [4, 5, 6, 1, 2, 3]);
        assert_eq!(laid(5), [1, 4, 2, 5, 3, 6]);
        assert_eq!(laid(6), [4, 1, 5, 2, 6, 3], "6 is turned a quarter to the right");
        assert_eq!(laid(7), [6, 3, 5, 2, 4, 1]);
        assert_eq!(laid(8), [3, 6, 2, 5, 1, 4]);
    }

    #[test]
    fn only_tag_274_of_the_first_directory_is_read() {
        let little = b"Exif\0\0II\x2a\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
        assert_eq!(Orientation::of_exif(little), Orientation(6));
        let big = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x08\0\0\0\0\0\0";
        assert_eq!(Orientation::of_exif(big), Orientation(8));
        for end in 0..little.len() {
            let _ = Orientation::of_exif(&little[..end]);
        }
        assert_eq!(Orientation::of_exif(b"II\x2a\0\xff\xff\xff\xff"), Orientation::UPRIGHT);
    }
}
