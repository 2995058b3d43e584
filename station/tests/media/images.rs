//! Images of media, made with the tools that people format sticks with.

use super::exfat_writer;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

/// File systems, as the tests name them.
pub const SYSTEMS: [&str; 9] = ["fat12", "fat16", "fat32", "exfat", "ntfs", "ext2", "ext3", "ext4", "iso"];

/// Runs a tool; gives whether it is there, and fails where it is and does not do its work.
#[expect(clippy::disallowed_methods, reason = "the test plays the person who formats a stick")]
pub fn tool(name: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(name);
    let sbin = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    command.args(arguments).env("PATH", sbin).env("LC_ALL", "C.UTF-8").env("MTOOLS_SKIP_CHECK", "1");
    match command.output() {
        Err(_) => {
            eprintln!("\n*** NOT TESTED: {name} is missing (scripts/setup.sh tests installs it) ***\n");
            false
        }
        Ok(output) => {
            let said = [output.stdout, output.stderr].concat();
            assert!(output.status.success(), "{name} {arguments:?}: {}", String::from_utf8_lossy(&said));
            true
        }
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// An image of `megabytes` with what is in `source`; none where the tools are missing.
pub fn image(system: &str, source: &Path, at: &Path, megabytes: u64) -> Option<PathBuf> {
    let image = at.join(format!("{system}.img"));
    File::create(&image).unwrap().set_len(megabytes << 20).unwrap();
    let img = text(&image);
    let made = match system {
        "fat12" => tool("mkfs.vfat", &["-F", "12", "-s", "64", "-n", "STICK12", img]) && copy(&image, source),
        "fat16" => tool("mkfs.vfat", &["-F", "16", "-n", "STICK16", img]) && copy(&image, source),
        "fat32" => tool("mkfs.vfat", &["-F", "32", "-s", "1", "-n", "STICK32", img]) && fragmented(&image, source),
        "exfat" => tool("mkfs.exfat", &["-L", "Stück", img]) && exfat_writer::fill(&image, source),
        "ntfs" => tool("mkntfs", &["-F", "-Q", "-L", "Stück", img]) && apply(&image, source, at),
        "ext2" | "ext3" | "ext4" => tool(&format!("mkfs.{system}"), &["-q", "-L", "stick", "-d", text(source), img]),
        "iso" => {
            std::fs::remove_file(&image).unwrap();
            let names = ["-quiet", "-V", "STICK", "-J", "-joliet-long", "-r", "-input-charset", "utf-8", "-o", img];
            tool("genisoimage", &[&names[..], &[text(source)]].concat())
        }
        other => panic!("{other}"),
    };
    made.then_some(image)
}

fn children(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

fn copy(image: &Path, source: &Path) -> bool {
    let children = children(source);
    let mut arguments = vec!["-s", "-Q", "-i", text(image)];
    arguments.extend(children.iter().map(|child| text(child)));
    arguments.push("::");
    tool("mcopy", &arguments)
}

/// Copies onto a volume whose free clusters lie scattered.
fn fragmented(image: &Path, source: &Path) -> bool {
    let filler = image.with_extension("filler");
    std::fs::write(&filler, vec![b'f'; 3000]).unwrap();
    let names: Vec<String> = (0..120).map(|n| format!("::filler{n}")).collect();
    for name in &names {
        if !tool("mcopy", &["-i", text(image), text(&filler), name]) {
            return false;
        }
    }
    let mut arguments = vec!["-i", text(image)];
    arguments.extend(names.iter().step_by(2).map(String::as_str));
    let deleted = tool("mdel", &arguments) && copy(image, source);
    let mut rest = vec!["-i", text(image)];
    rest.extend(names.iter().skip(1).step_by(2).map(String::as_str));
    deleted && tool("mdel", &rest)
}

/// Files onto NTFS without a driver: wimlib writes them through libntfs-3g.
fn apply(image: &Path, source: &Path, at: &Path) -> bool {
    let archive = at.join("files.wim");
    let made = tool("wimcapture", &[text(source), text(&archive), "--no-acls", "--compress=none"]);
    let done = made && tool("wimapply", &[text(&archive), "1", text(image)]);
    let _ = std::fs::remove_file(archive);
    done
}
