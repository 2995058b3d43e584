//! ZIP archives: the strict walk, safe relative names, and every member of the dialect that its extension names.

use crate::{Limits, Rejection, zip};
use model::{Format, Policy, safe_component};

/// Accepts an archive and everything in it.
pub fn verify(bytes: &[u8], _format: Format, policy: &Policy, limits: &mut Limits) -> Result<(), Rejection> {
    let deep = || Rejection::new(0, "containers in containers past the limit (ARC-13)");
    let outside = limits.depth;
    limits.depth = outside.checked_sub(1).ok_or_else(deep)?;
    for member in zip::walk(bytes, policy.limits.entries)? {
        safe_path(member.name).map_err(|rule| Rejection::new(member.offset, rule).inside(member.name))?;
        if member.is_folder() {
            continue;
        }
        let format = format_of(member.name)
            .ok_or_else(|| Rejection::new(member.offset, "no dialect for this extension").inside(member.name))?;
        let content = member.content(limits)?;
        super::verify(&content, format, policy, limits).map_err(|rejection| rejection.inside(member.name))?;
    }
    limits.depth = outside;
    Ok(())
}

/// ARC-01, ARC-08, NAM-*: every component is a name that needed no change.
fn safe_path(name: &str) -> Result<(), &'static str> {
    let path = name.strip_suffix('/').unwrap_or(name);
    let safe =
        |component: &str| safe_component(component).changed.is_empty() && safe_component(component).name == component;
    if path.split('/').all(safe) { Ok(()) } else { Err("relative path of safe names (ARC-01, ARC-08)") }
}

/// The dialect that an extension names.
fn format_of(name: &str) -> Option<Format> {
    let leaf = name.rsplit('/').next()?;
    let extension = leaf.rsplit_once('.')?.1.to_ascii_lowercase();
    let same = match extension.as_str() {
        "jpeg" | "jpe" | "jfif" => "jpg",
        "tiff" => "tif",
        "log" => "txt",
        "dib" => "bmp",
        own => own,
    };
    Format::ALL.iter().copied().find(|&f| super::dialect(f).is_some() && f.extension() == same)
}
