//! ZIP archives (APPNOTE 6.3.10): each member cleaned through the same door, the archive written anew.
//!
//! Kept: folders and the members that could be cleaned, in their order, under safe and unique names. Dropped and
//! reported: comments, extra fields, times, attributes, links, bytes outside of members. A member that can't be cleaned
//! leaves a tombstone, or withholds the archive where policy says so. Refused: what two readers would read in two ways
//! (`zip_read`), bombs, and archives of which nothing could be cleaned. Members of one name are all kept, numbered.

mod paths;

use crate::switches::{Filter, off};
use crate::zip_read::{Archive, Entry, Kind};
use crate::zip_write::ZipWriter;
use crate::{Cx, Rebuilt, Reconstructor, spoils_the_container};
use model::{Fact, FindingAction, Format, Refusal, Untrusted, WithheldMember};
use paths::Paths;

/// ZIP archives.
pub struct Zip;

impl Reconstructor for Zip {
    fn formats(&self) -> &'static [Format] {
        &[Format::Zip]
    }

    fn reconstruct(&self, input: Untrusted<'_>, format: Format, cx: &mut Cx<'_>) -> Result<Rebuilt, Refusal> {
        let archive = Archive::open_any(input.bytes(), cx.budget)?;
        report(&archive, cx);
        let mut rebuild =
            Rebuild { archive: &archive, writer: ZipWriter::new(), paths: Paths::default(), kept: 0, first: None };
        for entry in archive.entries() {
            match entry.kind {
                Kind::Folder => rebuild.folder(entry, cx)?,
                Kind::File | Kind::Special => rebuild.member(entry, cx)?,
            }
        }
        // Tombstones alone say nothing that the report does not say; but where our own reach is the only reason, the
        // archive is as good as one with a single such member.
        if let (0, Some(refusal)) = (rebuild.kept, rebuild.first)
            && !matches!(refusal, Refusal::Unsupported { .. })
        {
            return Err(refusal);
        }
        Ok(Rebuilt::new(rebuild.writer.finish()?, format))
    }
}

fn report(archive: &Archive<'_>, cx: &mut Cx<'_>) {
    for (id, action, place) in archive.oddities() {
        cx.found(id, *action, place);
    }
    let notes = archive.notes();
    cx.found_count("ARC-11", FindingAction::Removed, "comments", notes.comments);
    cx.found_count("ARC-11", FindingAction::Removed, "extra fields", notes.extra_fields);
    cx.found_count("ARC-12", FindingAction::Neutralised, "times and attributes", notes.attributes);
}

struct Rebuild<'a> {
    archive: &'a Archive<'a>,
    writer: ZipWriter,
    paths: Paths,
    /// Members that came out.
    kept: usize,
    /// Why a member that did not come out was withheld.
    first: Option<Refusal>,
}

impl Rebuild<'_> {
    fn folder(&mut self, entry: &Entry, cx: &mut Cx<'_>) -> Result<(), Refusal> {
        let (path, new) = self.paths.folder(&entry.name, cx);
        if new && !path.is_empty() {
            self.writer.add_dir(&path)?;
        }
        // A folder has no bytes; some writers give it two of an empty deflate stream.
        if entry.size > 0 {
            cx.found("ARC-05", FindingAction::Removed, "bytes in a folder");
        }
        Ok(())
    }

    fn member(&mut self, entry: &Entry, cx: &mut Cx<'_>) -> Result<(), Refusal> {
        let leaf = paths::leaf(&entry.name);
        let read = self.archive.read_with(entry, cx.keys, cx.budget);
        if read.is_ok() && entry.cipher.is_some() {
            cx.found("ARC-06", FindingAction::Removed, &format!("opened with a password: {leaf}"));
            cx.fact(Fact::Encrypted, &leaf);
        }
        let cleaned = match read {
            Ok(bytes) if off(Filter::ZipMembers) => Ok(Rebuilt::new(bytes.into_owned(), Format::Txt)),
            Ok(bytes) => cx.nested(&leaf, Untrusted::new(&bytes)),
            Err(refusal) => {
                cx.withheld(&leaf, refusal.clone());
                Err(refusal)
            }
        };
        match cleaned {
            Ok(rebuilt) => self.write(entry, &rebuilt, cx),
            Err(refusal) if spoils_the_container(&refusal) => Err(refusal),
            Err(refusal) if withhold_all(cx) => Err(refusal),
            Err(refusal) => self.tombstone(entry, refusal, cx),
        }
    }

    fn write(&mut self, entry: &Entry, rebuilt: &Rebuilt, cx: &mut Cx<'_>) -> Result<(), Refusal> {
        let path = self.paths.file(&entry.name, rebuilt.format, cx);
        self.kept = self.kept.saturating_add(1);
        if is_packed(rebuilt.format) {
            self.writer.add_stored(&path, &rebuilt.bytes)
        } else {
            self.writer.add(&path, &rebuilt.bytes)
        }
    }

    fn tombstone(&mut self, entry: &Entry, refusal: Refusal, cx: &mut Cx<'_>) -> Result<(), Refusal> {
        report_withheld(entry, &refusal, cx);
        let (path, name) = self.paths.tombstone(&entry.name, cx);
        let text = tombstone(&name, &refusal);
        cx.budget.spend_bytes(text.len() as u64)?;
        self.writer.add(&path, text.as_bytes())?;
        // The gravest reason speaks for the archive.
        if self.first.as_ref().is_none_or(|first| matches!(first, Refusal::Unsupported { .. })) {
            self.first = Some(refusal);
        }
        Ok(())
    }
}

/// Names the rows of the catalogue that make a member unreadable.
fn report_withheld(entry: &Entry, refusal: &Refusal, cx: &mut Cx<'_>) {
    let id = if entry.kind == Kind::Special {
        "ARC-02"
    } else if matches!(refusal, Refusal::Encrypted(_)) && entry.cipher.is_some() {
        "ARC-06"
    } else if !matches!(entry.method, 0 | 8) {
        "ARC-09"
    } else {
        return;
    };
    cx.found(id, FindingAction::Removed, &paths::leaf(&entry.name));
}

fn withhold_all(cx: &Cx<'_>) -> bool {
    cx.policy.formats.zip.is_some_and(|zip| zip.withheld_member == WithheldMember::Block)
}

/// Formats whose own compression leaves nothing to gain.
const fn is_packed(format: Format) -> bool {
    format.is_ooxml() || matches!(format, Format::Zip | Format::Png | Format::Jpeg | Format::Gif | Format::Webp)
}

/// What, why, and whom to ask. The text passes the same dialect as any other, and comes out of a second cleaning as it
/// went in.
fn tombstone(name: &str, refusal: &Refusal) -> String {
    let reason: String = refusal.to_string().chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect();
    let text = format!(
        "The file \"{name}\" was withheld and is not in this archive.\r\n\r\n\
         Reason: {reason}.\r\n\r\n\
         The original is kept where this archive was checked. Ask the operator there if you need it.\r\n"
    );
    super::text::plain(&text)
}

#[cfg(test)]
mod tests;
