//! Sample packages, and how something is put into them.

use std::io::{Cursor, Read};

pub(super) const BODY: &str = "word/document.xml";
pub(super) const BOOK: &str = "xl/workbook.xml";
pub(super) const SHEET: &str = "xl/worksheets/sheet1.xml";
pub(super) const SLIDE: &str = "ppt/slides/slide1.xml";
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/// A package, member by member.
pub(super) struct Package(Vec<(String, Vec<u8>)>);

impl Package {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        let mut members = Vec::new();
        for at in 0..archive.len() {
            let mut file = archive.by_index(at).unwrap();
            let name = String::from_utf8(file.name_raw().to_vec()).unwrap();
            let mut data = Vec::new();
            file.read_to_end(&mut data).unwrap();
            members.push((name, data));
        }
        Self(members)
    }

    pub(super) fn docx() -> Self {
        Self::of(&samples::docx())
    }

    pub(super) fn xlsx() -> Self {
        Self::of(&samples::xlsx())
    }

    pub(super) fn pptx() -> Self {
        Self::of(&samples::pptx())
    }

    /// The text of a member with the one `from` in it replaced.
    pub(super) fn with(mut self, member: &str, from: &str, to: &str) -> Self {
        let (_, bytes) = self.0.iter_mut().find(|(name, _)| name == member).unwrap();
        let text = std::str::from_utf8(bytes).unwrap();
        assert_eq!(text.matches(from).count(), 1, "{from} in {text}");
        *bytes = text.replacen(from, to, 1).into_bytes();
        self
    }

    /// XML before the end of the body, sheet, book or slide.
    pub(super) fn holding(self, member: &str, xml: &str) -> Self {
        let end = match member {
            BODY => "<w:sectPr>",
            BOOK => "</workbook>",
            SHEET => "</worksheet>",
            SLIDE => "</p:spTree>",
            _ => "</w:settings>",
        };
        self.with(member, end, &format!("{xml}{end}"))
    }

    pub(super) fn adding(mut self, member: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.0.retain(|(name, _)| name != member);
        self.0.push((member.to_owned(), bytes.into()));
        self
    }

    /// A relationship of a part: id, last word of the type, target, whether it leads out.
    pub(super) fn relating(mut self, source: &str, id: &str, kind: &str, target: &str, external: bool) -> Self {
        let (folder, leaf) = source.rsplit_once('/').unwrap();
        let member = format!("{folder}/_rels/{leaf}.rels");
        if !self.0.iter().any(|(name, _)| *name == member) {
            let empty = "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"></Relationships>";
            self.0.push((member.clone(), empty.into()));
        }
        let mode = if external { " TargetMode=\"External\"" } else { "" };
        let target = target.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
        let row =
            format!("<Relationship Id=\"{id}\" Type=\"{OFFICE}/{kind}\" Target=\"{target}\"{mode}/></Relationships>");
        self.with(&member, "</Relationships>", &row)
    }

    /// The part without its relationships.
    pub(super) fn unrelated(mut self, source: &str) -> Self {
        let (folder, leaf) = source.rsplit_once('/').unwrap();
        let member = format!("{folder}/_rels/{leaf}.rels");
        self.0.retain(|(name, _)| *name != member);
        self
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let members: Vec<(&str, &[u8])> =
            self.0.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
        samples::zip(&members)
    }
}
