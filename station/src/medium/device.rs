//! What the kernel says of the USB device behind a block device, out of sysfs: who it says it is, and what else it is.
//!
//! A stick that is a keyboard, a network card or a second disc too is refused before a byte of it is read (USB-01, 02, 04,
//! 05). What the device says of itself (vendor, product, serial number) is for the record: it proves nothing (USB-16).

use serde::Serialize;
use std::path::{Path, PathBuf};

/// Mass storage.
const STORAGE: &str = "08";
/// Keyboards, mice.
const INPUT: &str = "03";
/// Ours: longest text of a device, in characters; USB's own is 126.
const TEXT_CHARS: usize = 126;

/// A USB device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UsbDevice {
    /// Its vendor's number, four hexadecimal digits.
    pub vendor_id: String,
    /// Its product's number.
    pub product_id: String,
    /// What it calls its vendor.
    pub vendor: String,
    /// What it calls itself.
    pub product: String,
    /// Its serial number.
    pub serial: String,
    /// Class, subclass and protocol of each of its interfaces, as six hexadecimal digits.
    pub interfaces: Vec<String>,
    /// Units that it shows as discs or drives.
    pub units: usize,
    /// SCSI's type of the unit at hand: 0 a disk, 5 a CD-ROM drive.
    pub unit_type: Option<u32>,
}

/// Looks a block device up by its number in `sysfs` (`/sys`). None where it is no USB device.
pub(super) fn usb_device(sysfs: &Path, (major, minor): (u32, u32)) -> Option<UsbDevice> {
    let block = sysfs.join(format!("dev/block/{major}:{minor}")).canonicalize().ok()?;
    let root = sysfs.canonicalize().ok()?;
    let above = || block.ancestors().take_while(|at| at.starts_with(&root));
    let device = above().find(|at| at.join("idVendor").is_file())?;
    let text = |name: &str| read(&device.join(name)).unwrap_or_default();
    let unit = above().find(|at| at.join("type").is_file() && is_unit(at));
    let host = above().find(|at| named(at).starts_with("host"));
    Some(UsbDevice {
        vendor_id: text("idVendor"),
        product_id: text("idProduct"),
        vendor: text("manufacturer"),
        product: text("product"),
        serial: text("serial"),
        interfaces: children(device).iter().filter_map(|child| interface(child)).collect(),
        units: host.map_or(0, |host| {
            let targets = children(host).into_iter().filter(|child| named(child).starts_with("target"));
            targets.flat_map(|target| children(&target)).filter(|child| is_unit(child)).count()
        }),
        unit_type: unit.and_then(|unit| read(&unit.join("type"))).and_then(|kind| kind.parse().ok()),
    })
}

impl UsbDevice {
    /// Why such a device is refused: the catalogue's row and a sentence.
    #[must_use]
    pub fn refused(&self) -> Option<(&'static str, String)> {
        let class = |wanted: &str| self.interfaces.iter().any(|interface| interface.starts_with(wanted));
        let stranger = self.interfaces.iter().find(|interface| !interface.starts_with(STORAGE));
        if class(INPUT) {
            return Some((
                "USB-01",
                "it is a keyboard or a mouse too; pull it out and give it to the security team".into(),
            ));
        }
        if let Some(interface) = stranger {
            let text = format!("it is more than storage (interface {interface}); give it to the security team");
            return Some(("USB-02", text));
        }
        if self.units > 1 {
            return Some((
                "USB-04",
                format!("it shows {} discs or drives at once; use one that shows one", self.units),
            ));
        }
        match self.unit_type {
            Some(0) => None,
            Some(5) => Some(("USB-05", "it poses as a CD-ROM drive; use one that is a disk".into())),
            Some(_) | None => Some(("USB-05", "it is no disk".into())),
        }
    }
}

fn named(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

/// A SCSI unit's folder is named by its host, channel, target and unit.
fn is_unit(path: &Path) -> bool {
    let name = named(path);
    name.split(':').count() == 4 && name.bytes().all(|b| b.is_ascii_digit() || b == b':')
}

fn interface(path: &Path) -> Option<String> {
    let part = |name: &str| read(&path.join(name));
    Some(part("bInterfaceClass")? + &part("bInterfaceSubClass")? + &part("bInterfaceProtocol")?)
}

/// The folders in a folder, in byte order. Links lead out of the device.
fn children(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let mut found: Vec<PathBuf> = folders.map(|entry| entry.path()).collect();
    found.sort();
    found
}

/// An attribute without control and direction characters (USB-11).
fn read(path: &Path) -> Option<String> {
    let bytes = std::fs::read(path).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let deceives = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let text: String = text.trim().chars().filter(|c| !deceives(*c)).take(TEXT_CHARS).collect();
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tree as the kernel would show it: interfaces, and units by their types.
    fn tree(interfaces: &[&str], units: &[u32]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let put = |path: &str, text: &str| {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let device = "devices/pci0/usb1/1-1";
        for (name, text) in [
            ("idVendor", "0951\n"),
            ("idProduct", "1666\n"),
            ("manufacturer", "Kingston\n"),
            ("product", "Stick \u{202e}\u{1b}[2J\n"),
            ("serial", "60A4\n"),
        ] {
            put(&format!("{device}/{name}"), text);
        }
        for (number, interface) in interfaces.iter().enumerate() {
            for (name, at) in [("bInterfaceClass", 0), ("bInterfaceSubClass", 2), ("bInterfaceProtocol", 4)] {
                put(
                    &format!("{device}/1-1:1.{number}/{name}"),
                    interface.get(at..).and_then(|rest| rest.get(..2)).unwrap(),
                );
            }
        }
        for (number, kind) in units.iter().enumerate() {
            put(&format!("{device}/1-1:1.0/host3/target3:0:0/3:0:0:{number}/type"), &format!("{kind}\n"));
        }
        put(&format!("{device}/1-1:1.0/host3/target3:0:0/3:0:0:0/block/sdb/size"), "1\n");
        std::fs::create_dir_all(dir.path().join("dev/block")).unwrap();
        let block = format!("../../{device}/1-1:1.0/host3/target3:0:0/3:0:0:0/block/sdb");
        std::os::unix::fs::symlink(block, dir.path().join("dev/block/8:16")).unwrap();
        dir
    }

    fn row(interfaces: &[&str], units: &[u32]) -> Option<&'static str> {
        usb_device(tree(interfaces, units).path(), (8, 16)).unwrap().refused().map(|(id, _)| id)
    }

    #[test]
    fn a_stick_that_is_one_disk_and_nothing_else_passes() {
        let tree = tree(&["080650"], &[0]);
        let device = usb_device(tree.path(), (8, 16)).unwrap();
        assert_eq!((device.vendor_id.as_str(), device.serial.as_str()), ("0951", "60A4"));
        assert_eq!(device.product, "Stick [2J", "no control characters");
        assert_eq!((device.interfaces.clone(), device.units), (vec!["080650".to_owned()], 1));
        assert_eq!(device.refused(), None);
        assert_eq!(usb_device(tree.path(), (8, 32)), None, "another device");
    }

    #[test]
    fn what_is_more_than_a_disk_is_refused() {
        assert_eq!(row(&["080650", "030101"], &[0]), Some("USB-01"));
        assert_eq!(row(&["080650", "0202ff"], &[0]), Some("USB-02"));
        assert_eq!(row(&["080650"], &[0, 0]), Some("USB-04"));
        assert_eq!(row(&["080650"], &[5]), Some("USB-05"));
        assert_eq!(row(&["080650"], &[]), Some("USB-05"), "nobody says what it is");
    }
}
