//! ZIP packages: Office Open XML (ECMA-376-2), OpenDocument, EPUB, Java and Android packages, or a plain archive.

use crate::zip_read::Archive;
use model::{Budget, Format, Policy};
use quick_xml::events::{BytesStart, Event};

/// Ours: `[Content_Types].xml` of the largest real workbooks is under 1 MiB.
const MOST_PART_BYTES: u64 = 16 << 20;

/// Content types of main parts (ECMA-376-1 annex A, \[MS-OFFMACRO2\] 2.2).
const MAIN: &[(&str, Format)] = &[
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml", Format::Docx),
    ("application/vnd.ms-word.document.macroenabled.main+xml", Format::Docm),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.template.main+xml", Format::Dotx),
    ("application/vnd.ms-word.template.macroenabledtemplate.main+xml", Format::Dotm),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml", Format::Xlsx),
    ("application/vnd.ms-excel.sheet.macroenabled.main+xml", Format::Xlsm),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.template.main+xml", Format::Xltx),
    ("application/vnd.ms-excel.template.macroenabled.main+xml", Format::Xltm),
    ("application/vnd.ms-excel.sheet.binary.macroenabled.main", Format::Xlsb),
    ("application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml", Format::Pptx),
    ("application/vnd.ms-powerpoint.presentation.macroenabled.main+xml", Format::Pptm),
    ("application/vnd.openxmlformats-officedocument.presentationml.slideshow.main+xml", Format::Ppsx),
    ("application/vnd.ms-powerpoint.slideshow.macroenabled.main+xml", Format::Ppsm),
    ("application/vnd.openxmlformats-officedocument.presentationml.template.main+xml", Format::Potx),
    ("application/vnd.ms-powerpoint.template.macroenabled.main+xml", Format::Potm),
];

/// What kind of package this is; [`Format::Zip`] where it is none, or where it can't be opened: the reconstructor of
/// archives then says what is wrong with it.
pub fn of(bytes: &[u8], policy: &Policy) -> Format {
    let mut budget = Budget::new(&policy.limits);
    let Ok(archive) = Archive::open_any(bytes, &mut budget) else {
        return by_raw_names(bytes);
    };
    let has = |name: &str| archive.entries().iter().any(|e| e.name.eq_ignore_ascii_case(name));
    let ends = |end: &str| archive.entries().iter().any(|e| e.name.ends_with(end));
    if has("AndroidManifest.xml") || has("classes.dex") || has("META-INF/MANIFEST.MF") {
        return Format::JavaArchive;
    }
    if has("AppxManifest.xml") || has("AppxBlockMap.xml") || has("extension.vsixmanifest") {
        return Format::Installer;
    }
    if has("[Content_Types].xml") {
        return office(&archive, &mut budget);
    }
    if let Some(declared) = part(&archive, "mimetype", &mut budget) {
        return declared_type(&declared);
    }
    let iwork = ends(".iwa") || has("Index.zip") || has("index.apxl") || ends("uildVersionHistory.plist");
    if iwork { Format::ArchiveOther } else { Format::Zip }
}

fn part(archive: &Archive<'_>, name: &str, budget: &mut Budget) -> Option<String> {
    let entry = archive.entries().iter().find(|e| e.name.eq_ignore_ascii_case(name))?;
    if entry.size > MOST_PART_BYTES {
        return None;
    }
    let bytes = archive.read(entry, budget).ok()?;
    let (text, _) =
        encoding_rs::Encoding::for_bom(&bytes).unwrap_or((encoding_rs::UTF_8, 0)).0.decode_with_bom_removal(&bytes);
    Some(text.into_owned())
}

/// ODF 1.3 part 2, 3.3; EPUB 3.3, 4.2.6.3.
fn declared_type(mimetype: &str) -> Format {
    let mimetype = mimetype.trim();
    if mimetype.starts_with("application/vnd.oasis.opendocument") || mimetype.starts_with("application/vnd.sun.xml") {
        Format::Odf
    } else if mimetype == "application/epub+zip" {
        Format::Epub
    } else {
        Format::Zip
    }
}

/// The type of the part that the package's root relationship names as the document: the way that Office takes.
fn office(archive: &Archive<'_>, budget: &mut Budget) -> Format {
    let types = part(archive, "[Content_Types].xml", budget).unwrap_or_default();
    let relationships = part(archive, "_rels/.rels", budget).unwrap_or_default();
    let targets = document_targets(&relationships);
    let found = match targets.as_slice() {
        [target] => content_type(&types, target),
        // None or several: then the declared types must agree on one kind.
        [] | [..] => sole_main_type(&types),
    };
    let named = |t: String| {
        let bare = t.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        MAIN.iter().find(|(name, _)| *name == bare)
    };
    found.and_then(named).map_or(Format::OoxmlOther, |(_, f)| *f)
}

/// Targets of relationships of type officeDocument, transitional or strict, as part names without the slash.
fn document_targets(relationships: &str) -> Vec<String> {
    let mut targets = Vec::new();
    elements(relationships, |element| {
        let is_document = attribute(element, "Type").is_some_and(|t| t.ends_with("/officeDocument"));
        if element.local_name().as_ref() == "Relationship" && is_document {
            targets.extend(
                attribute(element, "Target").map(|t| t.trim_start_matches("./").trim_start_matches('/').to_owned()),
            );
        }
    });
    targets
}

/// The content type of a part: its override, else the default of its extension (ECMA-376-2, 7.2.3).
fn content_type(types: &str, part: &str) -> Option<String> {
    let extension = part.rsplit_once('.').map(|(_, ext)| ext);
    let (mut by_name, mut by_extension) = (None, None);
    elements(types, |element| match element.local_name().as_ref() {
        "Override" => {
            let name = attribute(element, "PartName").unwrap_or_default();
            if name.trim_start_matches('/').eq_ignore_ascii_case(part) {
                by_name = attribute(element, "ContentType");
            }
        }
        "Default" => {
            let ext = attribute(element, "Extension").unwrap_or_default();
            if extension.is_some_and(|e| e.eq_ignore_ascii_case(&ext)) {
                by_extension = attribute(element, "ContentType");
            }
        }
        _ => {}
    });
    by_name.or(by_extension)
}

fn sole_main_type(types: &str) -> Option<String> {
    let mut found: Vec<String> = Vec::new();
    elements(types, |element| {
        let declared = attribute(element, "ContentType").unwrap_or_default().to_ascii_lowercase();
        if MAIN.iter().any(|(name, _)| *name == declared) && !found.contains(&declared) {
            found.push(declared);
        }
    });
    if found.len() == 1 { found.pop() } else { None }
}

fn elements(xml: &str, mut visit: impl FnMut(&BytesStart<'_>)) {
    let mut reader = quick_xml::Reader::from_str(xml);
    loop {
        match reader.read_event() {
            Ok(Event::Start(element) | Event::Empty(element)) => visit(&element),
            Ok(Event::Eof) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = element.try_get_attribute(name).ok()??;
    attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).ok().map(std::borrow::Cow::into_owned)
}

/// For archives that do not open: enough to name the kind in the report. Nothing is rebuilt from it.
fn by_raw_names(bytes: &[u8]) -> Format {
    let tail = bytes.get(bytes.len().saturating_sub(1 << 20)..).unwrap_or_default();
    let has = |needle: &[u8]| memchr::memmem::find(tail, needle).is_some();
    if has(b"META-INF/MANIFEST.MF") || has(b"classes.dex") {
        Format::JavaArchive
    } else if !has(b"[Content_Types].xml") {
        Format::Zip
    } else if has(b"word/document.xml") {
        Format::Docx
    } else if has(b"xl/workbook.xml") {
        Format::Xlsx
    } else if has(b"ppt/presentation.xml") {
        Format::Pptx
    } else {
        Format::OoxmlOther
    }
}
