//! Mutated images: whatever is wrong with one, the reader ends soon, within its limits, and never panics.

use super::images::{SYSTEMS, image};
use super::small_files;
use medium::{FileAt, Kind, Limits, ReadAt};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// The full campaign; a sample of it otherwise.
const SOAK: u64 = 2000;
const SAMPLE: u64 = 100;
const ENTRIES: u64 = 2000;
/// Ours: an image of some MiB takes milliseconds; under load, seconds.
const LONGEST: Duration = Duration::from_secs(20);

#[derive(Clone)]
struct Image(Rc<RefCell<Vec<u8>>>);

impl ReadAt for Image {
    fn size(&self) -> u64 {
        self.0.borrow().len() as u64
    }

    fn read_exact_at(&self, buffer: &mut [u8], at: u64) -> std::io::Result<()> {
        let bytes = self.0.borrow();
        let from = bytes.get(at as usize..).and_then(|rest| rest.get(..buffer.len()));
        buffer.copy_from_slice(from.ok_or(std::io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

struct Chance(u64);

impl Chance {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % n.max(1)
    }
}

pub fn all() {
    let dir = tempfile::tempdir().unwrap();
    let source = small_files(dir.path());
    let count = if std::env::var_os("SALLYPORT_SOAK").is_some() { SOAK } else { SAMPLE };
    for system in SYSTEMS {
        let megabytes = if system == "fat32" { 40 } else { 10 };
        let Some(path) = image(system, &source, dir.path(), megabytes) else { continue };
        let bytes = std::fs::read(&path).unwrap();
        // Sectors that hold something: elsewhere a change changes nothing.
        let sectors: Vec<usize> =
            (0..bytes.len() / 512).filter(|n| bytes[n * 512..][..512].iter().any(|b| *b != 0)).collect();
        // Most of what NTFS holds is no structure: its records and index blocks then.
        let records = |n: &usize| bytes[n * 512..].starts_with(b"FILE") || bytes[n * 512..].starts_with(b"INDX");
        let structures: Vec<usize> = sectors.iter().copied().filter(records).collect();
        let sectors = if structures.is_empty() { sectors } else { [&sectors[..4], &structures].concat() };
        let image = Image(Rc::new(RefCell::new(bytes)));
        let sound = walk(&image);
        assert_eq!(sound, (4, 0), "{system}");
        let mut tally = [0; 3];
        for seed in 0..count {
            let before = change(&image, &sectors, seed);
            let began = Instant::now();
            let (read, refused) = walk(&image);
            assert!(began.elapsed() < LONGEST, "{system}, seed {seed}: {:?}", began.elapsed());
            tally[if (read, refused) == sound {
                0
            } else if read > 0 {
                1
            } else {
                2
            }] += 1;
            for (at, old) in before.into_iter().rev() {
                image.0.borrow_mut()[at] = old;
            }
        }
        println!("{system}: {count} mutants: {} read in full, {} in part, {} not at all", tally[0], tally[1], tally[2]);
    }
}

/// Changes some bytes; gives what was there.
fn change(image: &Image, sectors: &[usize], seed: u64) -> Vec<(usize, u8)> {
    let mut chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut bytes = image.0.borrow_mut();
    let donor = sectors[chance.below(sectors.len())] * 512 + chance.below(16) * 32;
    let donor: [u8; 32] = bytes[donor..donor + 32].try_into().unwrap();
    let mut before = Vec::new();
    let mut set = |at: usize, new: u8| {
        before.push((at, bytes[at]));
        bytes[at] = new;
    };
    for _ in 0..1 + chance.below(6) {
        // The first sectors say how to read all others.
        let sector = if chance.below(3) == 0 {
            sectors[chance.below(sectors.len().min(8))]
        } else {
            sectors[chance.below(sectors.len())]
        };
        let at = sector * 512 + chance.below(512);
        match chance.below(4) {
            0 => set(at, chance.below(256) as u8),
            1 => set(at, [0, 1, 0x7f, 0x80, 0xff][chance.below(5)]),
            2 => (at..sector * 512 + 512).take(4).for_each(|at| set(at, 0xff)),
            _ => {
                // An entry of a folder or table, from elsewhere.
                let to = sector * 512 + chance.below(16) * 32;
                donor.into_iter().enumerate().for_each(|(n, byte)| set(to + n, byte));
            }
        }
    }
    before
}

/// Walks and reads everything; gives how many files were read and how many items refused.
fn walk(image: &Image) -> (usize, usize) {
    let listing = medium::look(Box::new(image.clone()), Limits { entries: ENTRIES });
    assert!(listing.items.len() as u64 <= ENTRIES + 130);
    let (mut read, mut refused) = (0, 0);
    for item in &listing.items {
        match (&item.kind, &item.place) {
            (Kind::File, Some(place)) => {
                let volume = &listing.facts.volumes[item.volume as usize];
                let (start, len, system) = (volume.start, volume.size, volume.system.unwrap());
                let file = FileAt { start, len, system, place: place.clone(), size: item.size };
                // What policy would refuse for its size is not asked for here either.
                let mut got = 0;
                let small = item.size <= 64 << 20;
                let outcome = small.then(|| {
                    medium::read(Box::new(image.clone()), &file, &mut |bytes| {
                        got += bytes.len() as u64;
                        assert!(got <= file.size, "more than was promised");
                        Ok(())
                    })
                });
                match outcome {
                    Some(Ok(())) => {
                        assert_eq!(got, file.size);
                        read += 1;
                    }
                    Some(Err(_)) | None => refused += 1,
                }
            }
            (Kind::File | Kind::Refused(_) | Kind::Link | Kind::Special, _) => refused += 1,
            (Kind::Folder, _) => {}
        }
    }
    (read, refused)
}
