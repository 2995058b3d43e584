//! What every fuzz target asserts.
#![forbid(unsafe_code)]

use model::{ExportKind, Refusal};
use model::{Format, Policy, Untrusted};
use sanitizer::{Host, Passwords, identify, reconstructor};

/// Small limits: a target must meet them often, and a leak past them must show.
fn policy() -> Policy {
    let mut policy = Policy::standard();
    policy.limits.expanded_bytes = 64 << 20;
    policy.limits.entries = 2_000;
    policy.limits.pixels = 4_000_000;
    policy.limits.depth = 3;
    policy
}

/// Identification never panics and says the same twice.
pub fn identification(data: &[u8]) {
    let policy = policy();
    let first = identify("file.bin", Untrusted::new(data), &policy);
    let second = identify("file.bin", Untrusted::new(data), &policy);
    assert_eq!(first.format, second.format);
    assert_eq!(first.findings, second.findings);
}

/// The password of every target: what is locked with it opens.
const PASSWORD: &str = "password";

/// A host that has a password and scans nothing.
struct Keeper(Passwords);

impl Keeper {
    fn new() -> Self {
        Self(Passwords::new([PASSWORD]).unwrap_or_default())
    }
}

impl Host for Keeper {
    fn export(&mut self, _: ExportKind, _: &str, _: u32, _: &[u8]) -> Result<(), Refusal> {
        Ok(())
    }

    fn recognises(&self, _: &[u8], _: Format) -> bool {
        false
    }

    fn passwords(&self) -> Passwords {
        self.0.clone()
    }
}

/// What is locked with our password, bent at places that `data` says, opens or not, never panics, and comes out as our
/// dialect. The first byte says which lock; then three bytes each, a place and what is put there.
pub fn unlocking(data: &[u8]) {
    let Some((which, bends)) = data.split_first() else { return };
    let members: [(&str, &[u8]); 2] = [("a.txt", b"alpha alpha alpha"), ("b.csv", b"=1,2\n")];
    let aes = |key| samples::zip_locked(&members, PASSWORD, samples::Lock::Aes { key, version: which / 8 % 2 + 1 });
    let office = |scheme| samples::office_locked(&samples::docx(), PASSWORD, scheme);
    let (name, mut bytes) = match which % 6 {
        0 => ("a.zip", samples::zip_locked(&members, PASSWORD, samples::Lock::ZipCrypto)),
        1 => ("a.zip", aes(16)),
        2 => ("a.zip", aes(32)),
        3 => ("a.docx", office(samples::Scheme::Standard)),
        4 => ("a.docx", office(samples::Scheme::Agile { rounds: 10 })),
        _ => ("a.bin", bends.to_vec()),
    };
    for bend in bends.as_chunks::<3>().0.iter().filter(|_| which % 6 < 5) {
        let at = usize::from(u16::from_le_bytes([bend[0], bend[1]]));
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= bend[2];
        }
    }
    let policy = policy();
    if let Ok(made) = sanitizer::clean(name, Untrusted::new(&bytes), &policy, &mut Keeper::new()).result
        && let Err(rejection) = verifier::verify(&made.bytes, made.format, &policy)
    {
        panic!("our own {} must verify: {rejection}", made.format);
    }
}

/// What a reconstructor makes of anything is accepted by the second reader, and is the same when made twice.
pub fn reconstruction(format: Format, data: &[u8]) {
    let policy = policy();
    let Some(reconstructor) = reconstructor(format) else { panic!("{format} has no reconstructor") };
    let make = |data: &[u8]| {
        sanitizer::Cx::top(&policy, &mut Keeper::new(), |cx| {
            reconstructor.reconstruct(Untrusted::new(data), format, cx)
        })
    };
    let Ok(made) = make(data) else { return };
    if let Err(rejection) = verifier::verify(&made.bytes, made.format, &policy) {
        panic!("our own {} must verify: {rejection}", made.format);
    }
    assert_eq!(make(data).map(|again| again.bytes), Ok(made.bytes), "not deterministic");
}

/// Compound files and the macro projects in them are read within the budget, say the same twice, and never panic.
pub fn compound(data: &[u8]) {
    let policy = policy();
    let look = || sanitizer::Cx::top(&policy, &mut Keeper::new(), |cx| sanitizer::ole::look(data, "file", cx));
    assert_eq!(look(), look());
}

/// A dialect never panics, on anything.
pub fn verification(format: Format, data: &[u8]) {
    let _ = verifier::verify(data, format, &policy());
}

/// An image of which the input holds some sectors, each behind its number; all others are zeros.
/// `cargo run -p medium --example seed -- IMAGE` makes such an input of an image.
struct Image(Vec<u8>);

impl Image {
    /// Ours: 16 MiB, which every file system that is read fits into.
    const SECTORS: usize = 32 << 10;

    fn of(data: &[u8]) -> Self {
        let mut bytes = Vec::new();
        for piece in data.as_chunks::<516>().0 {
            let (number, sector) = piece.split_at(4);
            let number = number.iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte)) % Self::SECTORS;
            bytes.resize(bytes.len().max((number + 1) * 512), 0);
            bytes[number * 512..][..512].copy_from_slice(sector);
        }
        Self(bytes)
    }
}

impl medium::ReadAt for Image {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_exact_at(&self, buffer: &mut [u8], at: u64) -> std::io::Result<()> {
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        let from = self.0.get(at..).and_then(|rest| rest.get(..buffer.len()));
        buffer.copy_from_slice(from.ok_or(std::io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

/// A walk of any image ends, says the same twice, and each file has the promised size or an error.
pub fn medium(data: &[u8]) {
    let image = || Box::new(Image::of(data));
    let limits = medium::Limits { entries: 500 };
    let listing = medium::look(image(), limits);
    assert_eq!(listing, medium::look(image(), limits), "not deterministic");
    for item in listing.items.iter().filter(|item| item.kind == medium::Kind::File && item.size <= 1 << 20) {
        let Some(volume) = listing.facts.volumes.get(item.volume as usize) else { panic!("no such volume") };
        let (Some(place), Some(system)) = (item.place.clone(), volume.system) else { panic!("a file nowhere") };
        let file = medium::FileAt { start: volume.start, len: volume.size, system, place, size: item.size };
        let mut got = 0;
        let outcome = medium::read(image(), &file, &mut |bytes| {
            got += bytes.len() as u64;
            Ok(())
        });
        assert!(outcome.is_err() || got == item.size);
    }
}
