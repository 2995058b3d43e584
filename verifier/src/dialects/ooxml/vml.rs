//! The boxes of a sheet's comments: the one VML that we write, generated from the comments part (docs/formats/xlsx.md).
//!
//! Nothing is parsed here: what must stand in the file is computed from the comments, and the bytes must be those.

use super::names::{self, S};
use super::package::{DECLARATION, Item, Package};
use crate::xml::{Event, Reader};
use crate::{Limits, Rejection};
use std::fmt::Write;

const HEAD: &str = concat!(
    r#"<xml xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" xmlns:x="urn:schemas-microsoft-com:office:excel">"#,
    r#"<v:shapetype id="_x0000_t202" coordsize="21600,21600" o:spt="202" path="m,l,21600r21600,l21600,xe">"#,
    r#"<v:stroke joinstyle="miter"/><v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>"#,
);

/// Accepts the generated file and nothing else (OOX-39).
pub(super) fn verify(
    package: &Package<'_>,
    item: &Item<'_>,
    bytes: &[u8],
    limits: &mut Limits,
) -> Result<(), Rejection> {
    let comments = package.source_of(item).and_then(|sheet| {
        let at = sheet.relationships.iter().find(|r| r.name == "comments").and_then(|r| r.target);
        at.and_then(|at| package.get(at))
    });
    let comments = comments.ok_or_else(|| Rejection::new(0, "boxes of comments without comments (OOX-39)"))?;
    let cells = cells(&comments.content(limits)?)?;
    let same = bytes.strip_prefix(DECLARATION) == Some(boxes(&cells).as_bytes());
    if same { Ok(()) } else { Err(Rejection::new(0, "the boxes of the comments, byte for byte (OOX-39)")) }
}

/// Row and column, from 0, of each comment.
fn cells(comments: &[u8]) -> Result<Vec<(u32, u32)>, Rejection> {
    let mut reader = Reader::new(comments, names::namespace)?;
    let mut cells = Vec::new();
    loop {
        match reader.next()? {
            Event::Start(S, "comment") => {
                let cell = reader.attributes().iter().find(|a| a.local == "ref").and_then(|a| cell(a.value));
                cells.push(cell.ok_or_else(|| reader.reject("a comment has the cell it is on"))?);
            }
            Event::Eof => return Ok(cells),
            Event::Start(..) | Event::End | Event::Text(_) => {}
        }
    }
}

/// 18.18.62: letters for the column, a number for the row.
fn cell(reference: &str) -> Option<(u32, u32)> {
    let letters = reference.find(|c: char| !c.is_ascii_uppercase())?;
    let (column, row) = reference.split_at_checked(letters)?;
    let digit = |n: u32, letter: u8| {
        n.checked_mul(26)?.checked_add(u32::from(letter.checked_sub(b'A')?)).and_then(|n| n.checked_add(1))
    };
    let column = column.bytes().try_fold(0u32, digit)?.checked_sub(1)?;
    let canonical = row.bytes().all(|b| b.is_ascii_digit()) && !row.starts_with('0');
    Some((row.parse::<u32>().ok().filter(|_| canonical)?.checked_sub(1)?, column))
}

fn boxes(cells: &[(u32, u32)]) -> String {
    let mut out = String::from(HEAD);
    for (&(row, column), n) in cells.iter().zip(1u32..) {
        let id = n.saturating_add(1024);
        // Writing to a String cannot fail.
        let _ = write!(
            out,
            concat!(
                r##"<v:shape id="_x0000_s{}" type="#_x0000_t202" style="position:absolute;margin-left:60pt;margin-top:2pt;width:108pt;height:60pt;"##,
                r##"z-index:{};visibility:hidden" fillcolor="#ffffe1" o:insetmode="auto"><v:fill color2="#ffffe1"/><v:path o:connecttype="none"/>"##,
                r##"<v:textbox style="mso-direction-alt:auto"><div style="text-align:left"></div></v:textbox><x:ClientData ObjectType="Note">"##,
                r##"<x:MoveWithCells/><x:SizeWithCells/><x:AutoFill>False</x:AutoFill><x:Row>{}</x:Row><x:Column>{}</x:Column></x:ClientData></v:shape>"##,
            ),
            id, n, row, column
        );
    }
    out.push_str("</xml>");
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn cells_are_counted_from_zero() {
        assert_eq!(super::cell("A1"), Some((0, 0)));
        assert_eq!(super::cell("XFD1048576"), Some((1_048_575, 16_383)));
        for bad in ["", "A", "1", "a1", "A0", "A01", "A1:B2", "ZZZZZZZZZ1"] {
            assert_eq!(super::cell(bad), None, "{bad}");
        }
    }
}
