//! What to do, as data: one policy for every face, a file a zone. Formats and engines never decide alone.
//!
//! Reading the TOML is the station's business; here is its shape. Unknown keys are an error everywhere: a typo in a
//! policy must stop the station, not weaken it.

use crate::{EnginePolicy, Format, QuarantinePolicy, SharePolicy};
use serde::{Deserialize, Deserializer, Serialize};
use std::path::PathBuf;

/// A whole policy. What is not named in `formats` takes `default`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// The destination zone: goes into every record.
    pub zone: String,
    /// Whom people ask about files that were held: a name, a room, a telephone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// What happens to a format that is not named.
    #[serde(default)]
    pub default: RuleAction,
    /// Limits that a top-level input spends.
    #[serde(default)]
    pub limits: Limits,
    /// Which engines must have looked.
    #[serde(default)]
    pub engines: EnginePolicy,
    /// What leaves the station besides files.
    #[serde(default)]
    pub evidence: EvidencePolicy,
    /// Names and types that disagree.
    #[serde(default)]
    pub names: NamePolicy,
    /// For whom originals of withheld files are kept.
    #[serde(default)]
    pub quarantine: QuarantinePolicy,
    /// What is encrypted, and where the station's passwords lie.
    #[serde(default)]
    pub passwords: PasswordPolicy,
    /// The outbound share, where it is on a server.
    #[serde(default)]
    pub share: SharePolicy,
    /// Per family of formats.
    #[serde(default)]
    pub formats: Formats,
}

/// What leaves the station besides files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EvidencePolicy {
    /// Where the checkpoint of each session goes: `udp://HOST:PORT`, `tcp://HOST:PORT` or `unix:///dev/log`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub syslog: Option<String>,
}

/// What policy orders for a format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuleAction {
    /// Parse and write anew.
    Rebuild,
    /// Draw to pixels and write those (PDF).
    Flatten,
    /// Never passes.
    #[default]
    Block,
}

/// A rule with nothing but an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What to do.
    pub action: RuleAction,
}

/// Limits of one top-level input. Each has its reason in `docs/limits.md`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Size of the input.
    #[serde(deserialize_with = "size")]
    pub input_bytes: u64,
    /// Everything that decompression and decoding bring forth.
    #[serde(deserialize_with = "size")]
    pub expanded_bytes: u64,
    /// Members, parts, objects and frames.
    pub entries: u64,
    /// Containers in containers.
    pub depth: u8,
    /// Pixels of one picture or frame.
    pub pixels: u64,
    /// Rounds of hashing that turn passwords into keys.
    pub key_iterations: u64,
    /// Data memory of one jail.
    #[serde(deserialize_with = "size")]
    pub memory_bytes: u64,
    /// Wall clock of one jail.
    pub seconds: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            input_bytes: 4 << 30,
            expanded_bytes: 8 << 30,
            entries: 100_000,
            depth: 8,
            pixels: 80_000_000,
            key_iterations: 100_000_000,
            memory_bytes: 1 << 30,
            seconds: 120,
        }
    }
}

/// Names and types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NamePolicy {
    /// An extension that disagrees with the content, within one risk class.
    pub type_mismatch: Mismatch,
}

impl Default for NamePolicy {
    fn default() -> Self {
        Self { type_mismatch: Mismatch::Report }
    }
}

/// What a disagreement of extension and content leads to, within one risk class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mismatch {
    /// A finding; the output gets the right extension.
    Report,
    /// Withheld.
    Block,
}

/// Encrypted archives and documents. The passwords themselves never stand in a policy, which goes into records, exports
/// and on screens: here is only where they lie.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PasswordPolicy {
    /// What happens to what is encrypted.
    pub encrypted: Encrypted,
    /// An absolute path: the station's own passwords, one a line, readable by its user alone.
    pub file: Option<PathBuf>,
    /// What happens where no password fits.
    pub none_fits: NoneFits,
}

/// What happens to archives and documents that are encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encrypted {
    /// They are opened with the passwords that were handed over, and cleaned; what comes out has no password.
    #[default]
    Open,
    /// Withheld, whoever has a password.
    Block,
}

/// What has only one fate today; the key is there so that a policy can say it aloud.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoneFits {
    /// Withheld; in an archive, as policy says of its members.
    #[default]
    Block,
}

/// Rules by family. A family that the file leaves out takes the policy's `default`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Formats {
    /// PDF.
    pub pdf: Option<PdfPolicy>,
    /// DOCX and its kin.
    pub word: Option<Office>,
    /// XLSX and its kin.
    pub excel: Option<Office>,
    /// PPTX and its kin.
    pub powerpoint: Option<Office>,
    /// ZIP archives.
    pub zip: Option<ZipPolicy>,
    /// Plain text.
    pub txt: Option<TextPolicy>,
    /// Comma- and tab-separated tables.
    pub csv: Option<TextPolicy>,
    /// PNG pictures.
    pub png: Option<Picture>,
    /// JPEG pictures.
    pub jpeg: Option<Picture>,
    /// GIF pictures.
    pub gif: Option<Picture>,
    /// BMP pictures.
    pub bmp: Option<Picture>,
    /// TIFF pictures.
    pub tiff: Option<Picture>,
    /// WebP pictures.
    pub webp: Option<Picture>,
}

/// PDF.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PdfPolicy {
    /// What to do.
    pub action: RuleAction,
    /// Draw what cannot be rebuilt, instead of withholding it.
    pub flatten_when_unrebuildable: bool,
    /// Which links stay.
    pub links: Links,
    /// What becomes of form fields.
    pub forms: Forms,
    /// What becomes of attachments.
    pub embedded_files: Removal,
}

impl Default for PdfPolicy {
    fn default() -> Self {
        Self {
            action: RuleAction::Rebuild,
            flatten_when_unrebuildable: true,
            links: Links::Web,
            forms: Forms::Flatten,
            embedded_files: Removal::Remove,
        }
    }
}

/// Links out of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Links {
    /// http, https and mailto stay; the rest loses its target.
    Web,
    /// The text stays, every target goes.
    Text,
    /// Like `text`, and the report calls each one removed.
    Remove,
}

/// Form fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Forms {
    /// Drawn into the page as they look.
    Flatten,
    /// Gone, with their look.
    Remove,
}

/// Things that have only one fate today; the key is there so that a policy can say it aloud.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Removal {
    /// Not in the output.
    #[default]
    Remove,
}

/// Word, Excel and PowerPoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Office {
    /// What to do.
    pub action: RuleAction,
    /// Macros of any kind.
    pub macros: Macros,
    /// Review comments.
    pub comments: Comments,
    /// Insertions and deletions under review.
    pub tracked_changes: Tracked,
    /// Hidden text, rows, sheets, slides.
    pub hidden: Hidden,
    /// Which links stay.
    pub links: Links,
}

impl Default for Office {
    fn default() -> Self {
        Self {
            action: RuleAction::Rebuild,
            macros: Macros::Remove,
            comments: Comments::Keep,
            tracked_changes: Tracked::Keep,
            hidden: Hidden::Report,
            links: Links::Web,
        }
    }
}

/// Macros.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Macros {
    /// Gone; the document stays.
    Remove,
    /// A document with macros is withheld.
    Block,
}

/// Review comments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Comments {
    /// They stay.
    Keep,
    /// They go.
    Remove,
}

/// Tracked changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tracked {
    /// They stay as they are.
    Keep,
}

/// Hidden content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hidden {
    /// It stays, and the report names it.
    Report,
}

/// ZIP archives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ZipPolicy {
    /// What to do.
    pub action: RuleAction,
    /// What takes the place of a member that cannot be cleaned.
    pub withheld_member: WithheldMember,
}

impl Default for ZipPolicy {
    fn default() -> Self {
        Self { action: RuleAction::Rebuild, withheld_member: WithheldMember::Tombstone }
    }
}

/// A member that cannot be cleaned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WithheldMember {
    /// A text that says what, why and whom to ask takes its place.
    Tombstone,
    /// The whole container is withheld.
    Block,
}

/// Text and tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TextPolicy {
    /// What to do.
    pub action: RuleAction,
}

impl Default for TextPolicy {
    fn default() -> Self {
        Self { action: RuleAction::Rebuild }
    }
}

/// Pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Picture {
    /// What to do.
    pub action: RuleAction,
    /// Metadata always goes; the key is there so that a policy can say it aloud.
    pub metadata: Metadata,
}

impl Default for Picture {
    fn default() -> Self {
        Self { action: RuleAction::Rebuild, metadata: Metadata::Remove }
    }
}

/// Metadata of pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metadata {
    /// Gone; colours are converted to sRGB first.
    Remove,
}

impl Policy {
    /// What the station does when nobody wrote a policy: everything it can rebuild is rebuilt, the rest is blocked.
    #[must_use]
    pub fn standard() -> Self {
        let text = Some(TextPolicy::default());
        let picture = Some(Picture::default());
        let office = Some(Office::default());
        Self {
            zone: "plant".into(),
            contact: None,
            default: RuleAction::Block,
            limits: Limits::default(),
            engines: EnginePolicy::default(),
            evidence: EvidencePolicy::default(),
            names: NamePolicy::default(),
            quarantine: QuarantinePolicy::default(),
            passwords: PasswordPolicy::default(),
            share: SharePolicy::default(),
            formats: Formats {
                pdf: Some(PdfPolicy::default()),
                word: office,
                excel: office,
                powerpoint: office,
                zip: Some(ZipPolicy::default()),
                txt: text,
                csv: text,
                png: picture,
                jpeg: picture,
                gif: picture,
                bmp: picture,
                tiff: picture,
                webp: picture,
            },
        }
    }

    /// What this policy orders for files of `format`.
    #[must_use]
    #[expect(clippy::wildcard_enum_match_arm, reason = "a format that no family names takes the policy's default")]
    pub fn action(&self, format: Format) -> RuleAction {
        let f = &self.formats;
        let picture = |p: Option<Picture>| p.map(|p| p.action);
        let named = match format {
            Format::Pdf => f.pdf.map(|p| p.action),
            Format::Zip => f.zip.map(|p| p.action),
            Format::Txt => f.txt.map(|p| p.action),
            Format::Csv | Format::Tsv | Format::Sylk => f.csv.map(|p| p.action),
            Format::Png => picture(f.png),
            Format::Jpeg => picture(f.jpeg),
            Format::Gif => picture(f.gif),
            Format::Bmp => picture(f.bmp),
            Format::Tiff => picture(f.tiff),
            Format::Webp => picture(f.webp),
            office => self.office(office).map(|p| p.action),
        };
        named.unwrap_or(self.default)
    }

    /// The rule for an Office Open XML kind; `None` where the policy does not name it.
    #[must_use]
    pub const fn office(&self, format: Format) -> Option<Office> {
        if format.is_word() {
            self.formats.word
        } else if format.is_excel() {
            self.formats.excel
        } else if format.is_powerpoint() {
            self.formats.powerpoint
        } else {
            None
        }
    }
}

/// A size: a whole number of bytes, or a text like `"4 GiB"` (binary units; `kB`, `MB`, `GB` are decimal).
pub(crate) fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Size {
        Bytes(u64),
        Text(String),
    }
    match Size::deserialize(deserializer)? {
        Size::Bytes(bytes) => Ok(bytes),
        Size::Text(text) => parse_size(&text)
            .ok_or_else(|| serde::de::Error::custom(format!("{text:?} is no size: write it like \"512 MiB\""))),
    }
}

fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits)?;
    let factor: u64 = match unit.trim() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        "kB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// An age: a whole number of days, or a text like `"30 days"`.
pub(crate) fn days<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Days {
        Number(u32),
        Text(String),
    }
    match Days::deserialize(deserializer)? {
        Days::Number(days) => Ok(days),
        Days::Text(text) => text
            .trim()
            .trim_end_matches("days")
            .trim_end_matches("day")
            .trim()
            .parse()
            .map_err(|_| serde::de::Error::custom(format!("{text:?} is no age: write it like \"30 days\""))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        assert_eq!(parse_size("4 GiB"), Some(4 << 30));
        assert_eq!(parse_size("10kB"), Some(10_000));
        assert_eq!(parse_size("7"), Some(7));
        assert_eq!(parse_size("4 gigs"), None);
        assert_eq!(parse_size("-1 MiB"), None);
        assert_eq!(parse_size("99999999999 TiB"), None, "an overflow is no size");
    }

    #[test]
    fn what_a_policy_does_not_name_is_blocked() {
        let bare = Policy { formats: Formats::default(), ..Policy::standard() };
        for format in Format::ALL {
            assert_eq!(bare.action(*format), RuleAction::Block, "{format}");
        }
        assert_eq!(Policy::standard().action(Format::Docm), RuleAction::Rebuild);
        assert_eq!(Policy::standard().action(Format::Pe), RuleAction::Block);
    }
}
