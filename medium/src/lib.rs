//! A medium read without mounting it: partition tables, then FAT12/16/32, exFAT, NTFS, ext2 to ext4 and ISO 9660.
//!
//! The crate runs in a jail that holds a read-only descriptor and nothing else. It opens no file, asks no clock, and has no
//! `unsafe`. [`look`] lists what there is, [`read`] gives the bytes of one file; between the two nothing is kept. Every
//! read of the medium is paid from an [`Allowance`], so that no parser, ours or another's, can go round in circles for ever.
#![forbid(unsafe_code)]

mod bytes;
mod clusters;
mod exfat;
mod ext;
mod fat;
mod iso;
mod listing;
mod ntfs;
mod partitions;
mod source;
mod system;
mod walk;

pub use listing::{Facts, Item, Kind, Listing, Name, Place, System, Table, Volume};
pub use source::{Allowance, ReadAt};
pub use walk::{FileAt, Limits, look, read};
