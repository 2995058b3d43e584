//! How fast the readers of media are, from memory: MiB a second of one core.
//!
//! `cargo bench -p medium`. For each file system that the machine has tools for: one file of 192 MiB and 300 small
//! ones, walked and read in one process, without a jail.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "a measurement on files that the developer chose"
)]

use medium::{FileAt, Kind, Limits, ReadAt};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

struct Image(Arc<std::fs::File>);

impl ReadAt for Image {
    fn size(&self) -> u64 {
        self.0.metadata().unwrap().len()
    }

    fn read_exact_at(&self, buffer: &mut [u8], at: u64) -> std::io::Result<()> {
        self.0.read_exact_at(buffer, at)
    }
}

fn tool(line: &str) -> bool {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    Command::new("sh").args(["-c", line]).env("PATH", path).output().is_ok_and(|output| output.status.success())
}

fn main() {
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("source");
    std::fs::create_dir_all(source.join("small")).unwrap();
    let block: Vec<u8> = (0..192_u32 << 20).map(|n| (n.wrapping_mul(2_654_435_761) >> 11) as u8).collect();
    std::fs::write(source.join("large.bin"), &block).unwrap();
    for n in 0..300 {
        std::fs::write(source.join(format!("small/file {n}.bin")), &block[n * 1000..n * 1000 + 20_000]).unwrap();
    }
    let at = dir.path().display();
    let systems = [
        ("FAT16", "mkfs.vfat -F 16 -s 16 i && mcopy -s -i i source/* ::"),
        ("FAT32", "mkfs.vfat -F 32 -s 8 i && mcopy -s -i i source/* ::"),
        ("NTFS", "mkntfs -F -Q i && wimcapture source w --no-acls --compress=none && wimapply w 1 i"),
        ("ext4", "mkfs.ext4 -q -d source i"),
        ("ISO 9660", "rm i && genisoimage -quiet -J -r -o i source"),
    ];
    for (name, line) in systems {
        if !tool(&format!("cd {at} && truncate -s 512M i && {line}")) {
            println!("{name}: not measured, its tools are missing");
            continue;
        }
        measure(name, &dir.path().join("i"));
        std::fs::remove_file(dir.path().join("i")).unwrap();
    }
}

fn measure(name: &str, path: &Path) {
    let file = Arc::new(std::fs::File::open(path).unwrap());
    // Once for the page cache.
    std::io::copy(&mut file.as_ref(), &mut std::io::sink()).unwrap();
    let image = || Box::new(Image(Arc::clone(&file)));
    let began = Instant::now();
    let listing = medium::look(image(), Limits { entries: 10_000 });
    let walked = began.elapsed();
    let (began, mut bytes, mut files) = (Instant::now(), 0_u64, 0);
    for item in listing.items.iter().filter(|item| item.kind == Kind::File) {
        let volume = &listing.facts.volumes[item.volume as usize];
        let (place, system) = (item.place.clone().unwrap(), volume.system.unwrap());
        let file = FileAt { start: volume.start, len: volume.size, system, place, size: item.size };
        medium::read(image(), &file, &mut |piece| {
            bytes += piece.len() as u64;
            Ok(())
        })
        .unwrap();
        files += 1;
    }
    let rate = bytes as f64 / (1 << 20) as f64 / began.elapsed().as_secs_f64();
    println!("{name}: walk {:.1} ms, {files} files at {rate:.0} MiB/s", walked.as_secs_f64() * 1000.0);
}
