//! A bundle: rules, lists and samples as one signed file.
//!
//! `tar` (plain ustar) in one zstd frame, `bundle.json` first and then its files in the order in which it names them;
//! beside it `FILE.minisig`. The reader takes exactly what the writer writes: names come from the manifest and are only
//! compared with the archive's, so no entry can lead elsewhere, and sizes are known before a byte is expanded.

mod archive;
mod manifest;

pub use archive::{Each, pack, unpack};
pub use manifest::{BundleFile, BundleManifest, FileKind, LeftOut, is_path};

/// Ours: a bundle with the largest of ClamAV's databases (some 300 MB) still fits.
pub const MOST_BUNDLE_BYTES: u64 = 512 << 20;
/// Ours: all files of a bundle, unpacked.
pub const MOST_EXPANDED_BYTES: u64 = 1 << 30;
/// Ours: one file of a bundle, which a jail holds in memory whole.
pub const MOST_FILE_BYTES: u64 = 512 << 20;
/// Ours: the largest public collections have some 5,000 rule files.
pub const MOST_FILES: usize = 10_000;
/// Ours: 10,000 entries of 300 bytes; the answer of a jail holds 4 MiB.
pub const MOST_MANIFEST_BYTES: usize = 4_000_000;

/// Name of the first entry.
pub const MANIFEST_NAME: &str = "bundle.json";

/// Samples lie masked in a bundle and in the store: else a scanner of the machine would take them for the real thing.
/// Masking twice gives the sample back.
pub fn mask(bytes: &mut [u8]) {
    bytes.iter_mut().for_each(|byte| *byte ^= 0x55);
}
