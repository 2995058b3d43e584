//! File records and their attributes: what everything on an NTFS volume is made of.

use crate::bytes::{array_at, u8_at, u16_at, u32_at, u64_at};
use crate::source::{Sink, damaged, too_much};
use model::Reason;

pub(super) const ATTRIBUTE_LIST: u32 = 0x20;
pub(super) const VOLUME_NAME: u32 = 0x60;
pub(super) const DATA: u32 = 0x80;
pub(super) const INDEX_ROOT: u32 = 0x90;
pub(super) const INDEX_ALLOCATION: u32 = 0xa0;
pub(super) const BITMAP: u32 = 0xb0;
pub(super) const REPARSE_POINT: u32 = 0xc0;
const END: u32 = u32::MAX;

/// Ours: runs of one attribute; a file in more pieces than this was made to hurt.
const RUNS: usize = 1 << 20;
/// The stride of fixups, whatever the medium's sectors are.
const STRIDE: usize = 512;

/// A file reference: 48 bits of record number, 16 of sequence.
pub(super) const fn reference(raw: u64) -> (u64, u16) {
    let [.., low, high] = raw.to_le_bytes();
    (raw & 0xffff_ffff_ffff, u16::from_le_bytes([low, high]))
}

/// Puts back the last two bytes of each stride, which NTFS keeps elsewhere as a sign of a write that ended.
pub(super) fn fix_up(block: &mut [u8]) -> Result<(), Reason> {
    let torn = || damaged("a record was torn, or is none");
    let (at, count) = (usize::from(u16_at(block, 4)), usize::from(u16_at(block, 6)));
    if !block.len().is_multiple_of(STRIDE) || count != (block.len() / STRIDE).saturating_add(1) {
        return Err(torn());
    }
    let kept = block.get(at..at.saturating_add(count.saturating_mul(2))).ok_or_else(torn)?.to_vec();
    let sign: [u8; 2] = array_at(&kept, 0);
    for (stride, own) in block.chunks_exact_mut(STRIDE).zip(kept.as_chunks::<2>().0.iter().skip(1)) {
        let last = stride.last_chunk_mut::<2>().ok_or_else(torn)?;
        if *last != sign {
            return Err(torn());
        }
        *last = *own;
    }
    Ok(())
}

/// An attribute with its value or the place of it.
#[derive(Clone, Debug)]
pub(super) struct Attribute {
    pub kind: u32,
    /// UTF-16, little endian.
    pub name: Vec<u8>,
    pub flags: u16,
    pub value: Value,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    Resident(Vec<u8>),
    Runs(Runs),
}

/// A value that lies in clusters.
#[derive(Clone, Debug)]
pub(super) struct Runs {
    /// The first of its clusters, counted within the value.
    pub first: u64,
    /// Cluster (none for a hole) and number of clusters.
    pub list: Vec<(Option<u64>, u64)>,
    pub size: u64,
    /// What is beyond reads as zeros.
    pub written: u64,
}

impl Runs {
    pub(super) fn clusters(&self) -> u64 {
        self.list.iter().fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }
}

impl Attribute {
    pub(super) fn len(&self) -> u64 {
        match &self.value {
            Value::Resident(bytes) => u64::try_from(bytes.len()).unwrap_or(0),
            Value::Runs(runs) => runs.size,
        }
    }

    pub(super) fn is(&self, kind: u32, name: &[u8]) -> bool {
        self.kind == kind && self.name == name
    }
}

/// The attributes of a record that was fixed up.
pub(super) fn attributes(record: &[u8]) -> Result<Vec<Attribute>, Reason> {
    let broken = || damaged("an attribute reaches beyond its record");
    let mut rest = record.get(usize::from(u16_at(record, 20))..).ok_or_else(broken)?;
    let mut found = Vec::new();
    while u32_at(rest, 0) != END {
        let len = usize::try_from(u32_at(rest, 4)).unwrap_or(usize::MAX);
        let raw = rest.get(..len).filter(|raw| raw.len() >= 24).ok_or_else(broken)?;
        found.push(attribute(raw)?);
        rest = rest.get(len..).filter(|rest| rest.len() >= 4).ok_or_else(broken)?;
    }
    Ok(found)
}

fn attribute(raw: &[u8]) -> Result<Attribute, Reason> {
    let broken = || damaged("an attribute reaches beyond its record");
    let piece = |at: usize, len: usize| raw.get(at..at.saturating_add(len)).ok_or_else(broken);
    let name = piece(usize::from(u16_at(raw, 10)), usize::from(u8_at(raw, 9)).saturating_mul(2))?.to_vec();
    let value = if u8_at(raw, 8) == 0 {
        let len = usize::try_from(u32_at(raw, 16)).unwrap_or(usize::MAX);
        Value::Resident(piece(usize::from(u16_at(raw, 20)), len)?.to_vec())
    } else {
        let list = run_list(raw.get(usize::from(u16_at(raw, 32))..).unwrap_or_default())?;
        let (first, size, written) = (u64_at(raw, 16), u64_at(raw, 48), u64_at(raw, 56));
        Value::Runs(Runs { first, list, size, written })
    };
    Ok(Attribute { kind: u32_at(raw, 0), name, flags: u16_at(raw, 12), value })
}

/// Runs: a byte with two lengths, a count of clusters, and how far the first is from the run before.
fn run_list(mut rest: &[u8]) -> Result<Vec<(Option<u64>, u64)>, Reason> {
    let broken = || damaged("a list of runs makes no sense");
    let (mut list, mut at) = (Vec::new(), 0_u64);
    while let Some(head) = rest.first().copied().filter(|head| *head != 0) {
        let (count_len, at_len) = (usize::from(head & 15), usize::from(head >> 4));
        let end = count_len.saturating_add(at_len).saturating_add(1);
        let raw = rest.get(1..end).filter(|_| (1..=8).contains(&count_len) && at_len <= 8).ok_or_else(broken)?;
        let (count, by) = raw.split_at_checked(count_len).ok_or_else(broken)?;
        let count = u64::try_from(signed(count)).ok().filter(|count| *count > 0).ok_or_else(broken)?;
        let begins = if at_len == 0 {
            None
        } else {
            at = at.checked_add_signed(signed(by)).ok_or_else(broken)?;
            Some(at)
        };
        list.push((begins, count));
        if list.len() > RUNS {
            return Err(too_much("a file in more than a million pieces"));
        }
        rest = rest.get(end..).unwrap_or_default();
    }
    Ok(list)
}

/// Up to eight bytes, little endian, with a sign.
fn signed(bytes: &[u8]) -> i64 {
    let fill = if bytes.last().is_some_and(|last| last & 0x80 != 0) { 0xff } else { 0 };
    let mut whole = [fill; 8];
    whole.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    i64::from_le_bytes(whole)
}

/// Attributes of several records: those that are pieces of one value become one.
pub(super) fn merged(mut all: Vec<Attribute>) -> Result<Vec<Attribute>, Reason> {
    let first = |attribute: &Attribute| match &attribute.value {
        Value::Resident(_) => 0,
        Value::Runs(runs) => runs.first,
    };
    all.sort_by(|a, b| (a.kind, &a.name, first(a)).cmp(&(b.kind, &b.name, first(b))));
    let mut whole: Vec<Attribute> = Vec::new();
    for attribute in all {
        let Value::Runs(more) = &attribute.value else {
            whole.push(attribute);
            continue;
        };
        if more.first == 0 {
            whole.push(attribute);
            continue;
        }
        let before = whole.last_mut().filter(|before| before.is(attribute.kind, &attribute.name));
        match before.map(|before| &mut before.value) {
            Some(Value::Runs(runs)) if runs.clusters() == more.first => runs.list.extend_from_slice(&more.list),
            Some(Value::Runs(_) | Value::Resident(_)) | None => {
                return Err(damaged("the pieces of a file's list of runs do not fit together"));
            }
        }
    }
    Ok(whole)
}

/// Gives `count` zeros to a sink.
pub(super) fn zeros(count: u64, sink: Sink<'_>) -> Result<(), Reason> {
    let zeros = [0; 64 << 10];
    let mut left = count;
    while left > 0 {
        let now = left.min(64 << 10);
        sink(zeros.get(..usize::try_from(now).unwrap_or(0)).unwrap_or_default())?;
        left = left.saturating_sub(now);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_go_forward_backward_and_over_holes() {
        let list = run_list(b"\x21\x18\x34\x56\x01\x10\x11\x05\xf0\x00").unwrap();
        assert_eq!(list, [(Some(0x5634), 0x18), (None, 0x10), (Some(0x5624), 5)]);
        for bad in [&b"\x11\x05\x80\x00"[..], b"\x10\x00", b"\x19\x01", b"\x11\x00\x01\x00", b"\x11\xff\x01\x00"] {
            assert!(run_list(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_torn_record_is_noticed() {
        let mut record = vec![0; 1024];
        record[4..8].copy_from_slice(b"\x30\0\x03\0");
        record[0x30..0x36].copy_from_slice(b"ab12cd");
        for at in [510, 1022] {
            record[at..at + 2].copy_from_slice(b"ab");
        }
        let mut fixed = record.clone();
        fix_up(&mut fixed).unwrap();
        assert_eq!((&fixed[510..512], &fixed[1022..]), (&b"12"[..], &b"cd"[..]));
        record[1022] = b'x';
        assert!(fix_up(&mut record).is_err() && fix_up(&mut [0; 100]).is_err());
    }
}
