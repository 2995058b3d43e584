//! The receipt as a PDF for paper: A4, our own fonts, no action, no link, nothing but text, lines and a code.

mod font;
mod page;

use crate::Receipt;
use crate::compose::{Block, Entry, Mark, blocks, title};
use crate::qr::Modules;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use font::{Face, Fonts};
use page::{Ink, Pages};
use pdf_writer::{Content, Filter, Finish, Name, Pdf, Rect, Ref, TextStr};
use std::io::Write;

/// Why there is no PDF: a fault of the program, never of the session.
#[derive(Debug)]
pub struct PdfError(String);

impl std::fmt::Display for PdfError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the receipt cannot be drawn: {}; the HTML one says the same", self.0)
    }
}

impl std::error::Error for PdfError {}

/// ISO 216 A4 in points.
const WIDTH: f32 = 595.0;
const HEIGHT: f32 = 842.0;

const INK: Ink = Ink(0.07, 0.07, 0.07);
const FAINT: Ink = Ink(0.2, 0.2, 0.2);

/// Draws it.
///
/// # Errors
/// [`PdfError`] where a font cannot be cut down to the letters that are used.
pub fn pdf(receipt: &Receipt) -> Result<Vec<u8>, PdfError> {
    let mut fonts = Fonts::load()?;
    let title = title(receipt);
    let mut pages = Pages::new();
    let code = Modules::of(&receipt.checkpoint);
    head(&mut pages, &mut fonts, &title, code.as_ref());
    for block in blocks(receipt) {
        draw(&mut pages, &mut fonts, &block);
    }
    let count = pages.count();
    let mut contents = pages.finish();
    for (number, content) in contents.iter_mut().enumerate() {
        let foot = format!("{title}, page {} of {count}", number.saturating_add(1));
        page::line(content, &mut fonts, Face::Regular, 8.0, FAINT, (page::LEFT, 24.0), &foot);
    }
    write(&title, contents, &fonts)
}

/// The title on the left, the code on the right.
fn head(pages: &mut Pages, fonts: &mut Fonts, title: &str, code: Option<&Modules>) {
    const SIDE: f32 = 110.0;
    let room = code.map_or(0.0, |_| SIDE);
    pages.paragraph(fonts, Face::Bold, 17.0, INK, 0.0, room, title);
    let Some(code) = code else { return };
    let top = HEIGHT - page::TOP;
    #[expect(clippy::cast_precision_loss, reason = "at most 177 modules")]
    let module = SIDE / code.width as f32;
    let content = pages.content();
    content.set_fill_rgb(0.0, 0.0, 0.0);
    for (y, x, len) in code.runs() {
        #[expect(clippy::cast_precision_loss, reason = "at most 177 modules")]
        let (x, y, len) = (x as f32, y as f32, len as f32);
        let left = module.mul_add(x, WIDTH - page::LEFT - SIDE);
        content.rect(left, top - module * (y + 1.0), module * len, module);
    }
    content.fill_nonzero();
    pages.paragraph(
        fonts,
        Face::Regular,
        9.0,
        FAINT,
        0.0,
        room,
        "The code is the checkpoint of the station's journal.",
    );
    pages.keep_below(top - SIDE - 12.0);
}

fn draw(pages: &mut Pages, fonts: &mut Fonts, block: &Block) {
    match block {
        Block::Heading(text) => {
            pages.need(70.0);
            pages.rule();
            pages.paragraph(fonts, Face::Bold, 13.0, INK, 0.0, 0.0, text);
            pages.space(4.0);
        }
        Block::Text(text) => {
            pages.paragraph(fonts, Face::Regular, 10.0, INK, 0.0, 0.0, text);
            pages.space(4.0);
        }
        Block::Mono(text) => {
            for line in text.lines() {
                pages.paragraph(fonts, Face::Regular, 7.5, FAINT, 0.0, 0.0, line);
            }
            pages.space(6.0);
        }
        Block::Tally(numbers) => pages.tally(fonts, numbers),
        Block::Facts(facts) => {
            for (label, value) in facts {
                pages.fact(fonts, label, value);
            }
            pages.space(6.0);
        }
        Block::Entry(file) => entry(pages, fonts, file),
    }
}

fn entry(pages: &mut Pages, fonts: &mut Fonts, entry: &Entry) {
    pages.need(44.0);
    let name = format!("{} {}", entry.mark.sign(), entry.name);
    pages.paragraph(fonts, Face::Bold, 10.5, ink(entry.mark), 0.0, 0.0, &name);
    for note in &entry.notes {
        pages.paragraph(fonts, Face::Regular, 9.5, INK, 14.0, 0.0, note);
    }
    for digest in &entry.digests {
        pages.paragraph(fonts, Face::Regular, 7.5, FAINT, 14.0, 0.0, digest);
    }
    pages.space(7.0);
}

const fn ink(mark: Mark) -> Ink {
    match mark {
        Mark::Released => Ink(0.04, 0.32, 0.16),
        Mark::Held => Ink(0.54, 0.08, 0.06),
        Mark::Plain => INK,
    }
}

fn packed(bytes: &[u8]) -> Result<Vec<u8>, PdfError> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).map_err(|error| PdfError(error.to_string()))
}

/// ISO 32000-1: catalogue, pages, their contents, two fonts. No date, no id: the same session gives the same bytes.
fn write(title: &str, contents: Vec<Content>, fonts: &Fonts) -> Result<Vec<u8>, PdfError> {
    let mut serial = 0i32;
    let mut next = || {
        serial = serial.saturating_add(1);
        Ref::new(serial)
    };
    let (catalog, tree, info) = (next(), next(), next());
    let faces = Face::ALL.map(|face| (face, [next(), next(), next(), next(), next()]));
    let ids: Vec<(Ref, Ref)> = contents.iter().map(|_| (next(), next())).collect();
    let mut pdf = Pdf::new();
    pdf.catalog(catalog).pages(tree).lang(TextStr("en"));
    pdf.document_info(info).title(TextStr(title));
    let count = i32::try_from(ids.len()).unwrap_or(i32::MAX);
    pdf.pages(tree).kids(ids.iter().map(|(page, _)| *page)).count(count);
    for ((page, stream), content) in ids.into_iter().zip(contents) {
        let mut dict = pdf.page(page);
        dict.parent(tree).media_box(Rect::new(0.0, 0.0, WIDTH, HEIGHT)).contents(stream);
        let mut resources = dict.resources();
        let mut names = resources.fonts();
        for (face, [font, ..]) in &faces {
            names.pair(Name(face.name()), *font);
        }
        names.finish();
        resources.finish();
        dict.finish();
        pdf.stream(stream, &packed(&content.finish())?).filter(Filter::FlateDecode);
    }
    for (face, refs) in faces {
        fonts.write(&mut pdf, face, refs)?;
    }
    Ok(pdf.finish())
}
