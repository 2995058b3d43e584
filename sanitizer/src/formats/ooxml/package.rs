//! The input's package (OPC, ECMA-376 Part 2): members by name and relationships. Nothing here is written.

use super::parts::{REL_TYPE, STRICT_REL_TYPE};
use super::read::{Dropped, decode};
use super::values;
use crate::zip_read::{Archive, Kind};
use model::{Budget, Refusal};
use quick_xml::Reader;
use quick_xml::events::Event;
use std::borrow::Cow;
use std::collections::HashMap;

/// A relationship as the input has it.
#[derive(Clone, Debug)]
pub struct Relationship {
    /// Its id.
    pub id: String,
    /// Last word of its type, if the type is one of the standard's; else the whole type.
    pub rel: String,
    /// Whether the type is one of the standard's.
    pub standard: bool,
    /// Its target as written.
    pub target: String,
    /// Whether it leads out of the package.
    pub external: bool,
}

/// The package.
pub struct Package<'a> {
    archive: Archive<'a>,
    index: HashMap<String, usize>,
}

impl<'a> Package<'a> {
    /// Opens the archive and lists its members.
    ///
    /// # Errors
    /// What [`Archive::open`] says.
    pub fn open(bytes: &'a [u8], budget: &mut Budget) -> Result<Self, Refusal> {
        let archive = Archive::open(bytes, budget)?;
        let files = archive.entries().iter().enumerate().filter(|(_, e)| e.kind != Kind::Folder);
        let index = files.map(|(at, e)| (fold(&e.name), at)).collect();
        Ok(Self { archive, index })
    }

    /// The archive.
    #[must_use]
    pub const fn archive(&self) -> &Archive<'a> {
        &self.archive
    }

    /// The member's name.
    #[must_use]
    pub fn name(&self, entry: usize) -> &str {
        self.archive.entries().get(entry).map_or("", |e| &e.name)
    }

    /// All members that are files.
    pub fn files(&self) -> impl Iterator<Item = usize> + use<'_, 'a> {
        (0..self.archive.entries().len())
            .filter(|at| self.archive.entries().get(*at).is_some_and(|e| e.kind != Kind::Folder))
    }

    /// Unpacks a member.
    ///
    /// # Errors
    /// What [`Archive::read`] says.
    pub fn read(&self, entry: usize, budget: &mut Budget) -> Result<Cow<'a, [u8]>, Refusal> {
        let entry = self.archive.entries().get(entry).ok_or_else(|| Refusal::internal("ooxml: no such member"))?;
        self.archive.read(entry, budget)
    }

    /// The member that `target`, seen from the part `source`, means.
    #[must_use]
    pub fn resolve(&self, source: &str, target: &str) -> Option<usize> {
        let target = target.split(['#', '?']).next().unwrap_or_default().replace('\\', "/");
        let mut path: Vec<&str> = Vec::new();
        if !target.starts_with('/') {
            path.extend(source.split('/'));
            path.pop();
        }
        for piece in target.split('/') {
            match piece {
                "" | "." => {}
                ".." => {
                    path.pop();
                }
                piece => path.push(piece),
            }
        }
        let name = path.join("/");
        self.index.get(&fold(&name)).or_else(|| self.index.get(&fold(&unescape_percent(&name)))).copied()
    }

    /// The relationships of a part; the package's own for the empty name.
    ///
    /// # Errors
    /// [`Refusal::Malformed`] where they are no XML.
    pub fn relationships(
        &self,
        source: &str,
        budget: &mut Budget,
        seen: &mut impl FnMut(usize),
    ) -> Result<Vec<Relationship>, Refusal> {
        let (folder, leaf) = source.rsplit_once('/').unwrap_or(("", source));
        let name = if folder.is_empty() { format!("_rels/{leaf}.rels") } else { format!("{folder}/_rels/{leaf}.rels") };
        let Some(entry) = self.index.get(&fold(&name)).copied() else {
            return Ok(Vec::new());
        };
        seen(entry);
        let bytes = self.read(entry, budget)?;
        let text = decode(&bytes, budget, &mut Dropped::new())?;
        parse(&text, budget)
    }
}

/// Names of parts are compared without regard to case (OPC, 6.2.2).
fn fold(name: &str) -> String {
    name.trim_start_matches('/').to_lowercase()
}

fn unescape_percent(name: &str) -> String {
    let mut out = Vec::with_capacity(name.len());
    let mut bytes = name.bytes();
    while let Some(b) = bytes.next() {
        let digits = bytes.as_slice_pair();
        match (b, digits) {
            (b'%', Some(byte)) => {
                out.push(byte);
                bytes.nth(1);
            }
            (b, _) => out.push(b),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The two hexadecimal digits that come next, as a byte.
trait HexPair {
    fn as_slice_pair(&self) -> Option<u8>;
}

impl HexPair for std::str::Bytes<'_> {
    fn as_slice_pair(&self) -> Option<u8> {
        let mut ahead = self.clone();
        let mut digit = || (ahead.next()? as char).to_digit(16).and_then(|d| u8::try_from(d).ok());
        Some(digit()? << 4 | digit()?)
    }
}

fn parse(text: &str, budget: &mut Budget) -> Result<Vec<Relationship>, Refusal> {
    let mut reader = Reader::from_str(text);
    let mut out = Vec::new();
    loop {
        let at = reader.buffer_position();
        let broken = |e: &dyn std::fmt::Display| Refusal::malformed(at, format!("OPC relationships: {e}"));
        match reader.read_event().map_err(|e| broken(&e))? {
            Event::Start(tag) | Event::Empty(tag) if tag.local_name().as_ref() == "Relationship" => {
                budget.spend_entries(1)?;
                let mut row = Relationship {
                    id: String::new(),
                    rel: String::new(),
                    standard: false,
                    target: String::new(),
                    external: false,
                };
                for attribute in tag.attributes().with_checks(false) {
                    let attribute = attribute.map_err(|e| broken(&e))?;
                    let mut value = String::new();
                    values::unescape_into(&attribute.value, &mut value).ok_or_else(|| broken(&"unknown entity"))?;
                    match attribute.key.0 {
                        "Id" => row.id = value,
                        "Target" => row.target = value,
                        "TargetMode" => row.external = value.trim().eq_ignore_ascii_case("external"),
                        "Type" => {
                            let known = value.strip_prefix(REL_TYPE).or_else(|| value.strip_prefix(STRICT_REL_TYPE));
                            row.standard = known.is_some_and(|word| !word.contains('/'));
                            row.rel = known.unwrap_or(&value).to_owned();
                        }
                        _ => {}
                    }
                }
                out.push(row);
            }
            Event::Eof => return Ok(out),
            Event::Start(_)
            | Event::Empty(_)
            | Event::End(_)
            | Event::Text(_)
            | Event::CData(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::DocType(_)
            | Event::GeneralRef(_) => {}
        }
    }
}
