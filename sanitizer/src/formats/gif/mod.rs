//! GIF: all frames, rebuilt from indexed pixels.
//!
//! Source: GIF89a specification. Kept, dropped, refused and our dialect: `docs/formats/gif.md`. Frames are written one by
//! one as they are read; none is composed, so that a viewer does with the new file what it did with the old one.

mod read;

use super::raster;
use crate::switches::{Filter, off};
use crate::{Cx, Rebuilt, Reconstructor};
use model::{FindingAction, Format, Refusal, Untrusted};
use read::{Control, Reader, Table};
use weezl::{BitOrder, encode::Encoder};

/// GIF pictures.
pub struct Gif;

/// The logical screen.
#[derive(Clone, Debug)]
struct Canvas {
    width: u16,
    height: u16,
    background: u8,
    table: Option<Table>,
    /// Loop count; 0 is for ever.
    plays: Option<u16>,
}

/// One image with its control.
#[derive(Clone, Debug)]
struct Frame {
    x: u16,
    y: u16,
    width: u16,
    height: u16,
    control: Control,
    table: Option<Table>,
    indices: Vec<u8>,
}

impl Reconstructor for Gif {
    fn formats(&self) -> &'static [Format] {
        &[Format::Gif]
    }

    fn reconstruct(&self, input: Untrusted<'_>, _: Format, cx: &mut Cx<'_>) -> Result<Rebuilt, Refusal> {
        let mut reader = Reader::new(input.bytes())?;
        let mut body = Vec::new();
        let mut frames = 0u64;
        while let Some(frame) = reader.frame(cx.budget)? {
            cx.budget.spend_entries(1)?;
            grow(&mut reader.canvas, &frame)?;
            write_frame(&mut body, frame, reader.canvas.table.as_ref(), cx)?;
            frames = frames.saturating_add(1);
        }
        if frames == 0 {
            return Err(Refusal::malformed(13, "GIF89a 20: no image"));
        }
        raster::claim(reader.canvas.width.into(), reader.canvas.height.into(), 1, cx.budget)?;
        let mut out = write_head(&reader.canvas);
        out.append(&mut body);
        out.push(0x3B);
        report(&reader, input.len(), cx);
        Ok(Rebuilt::new(out, Format::Gif))
    }
}

fn report(reader: &Reader<'_>, len: usize, cx: &mut Cx<'_>) {
    let extras = reader.extras;
    let trailing = u64::from(reader.at < len);
    for (id, place, count) in [
        ("IMG-01", "after the trailer", trailing),
        ("GEN-03", "after the trailer", trailing),
        ("IMG-10", "comment", extras.comments),
        ("IMG-10", "plain text", extras.texts),
        ("IMG-10", "application block", extras.applications),
        ("IMG-10", "between blocks", extras.stray),
    ] {
        cx.found_count(id, FindingAction::Removed, place, count);
    }
    cx.found_count("IMG-10", FindingAction::ReEncoded, "too little image data", extras.short);
}

/// A frame that leaves the canvas makes it larger: that is what viewers do, and no pixel of it is lost.
fn grow(canvas: &mut Canvas, frame: &Frame) -> Result<(), Refusal> {
    let outside = || Refusal::malformed(0, "GIF89a 20: a frame beyond 65,535");
    let right = frame.x.checked_add(frame.width).ok_or_else(outside)?;
    let bottom = frame.y.checked_add(frame.height).ok_or_else(outside)?;
    if off(Filter::GifCanvas) {
        return Ok(());
    }
    canvas.width = canvas.width.max(right);
    canvas.height = canvas.height.max(bottom);
    Ok(())
}

/// log2 of a table's size, less one.
fn size_field(table: &Table) -> u8 {
    u8::try_from(table.len().next_power_of_two().trailing_zeros()).unwrap_or(8).clamp(1, 8).saturating_sub(1)
}

fn write_head(canvas: &Canvas) -> Vec<u8> {
    let mut out = b"GIF89a".to_vec();
    out.extend_from_slice(&canvas.width.to_le_bytes());
    out.extend_from_slice(&canvas.height.to_le_bytes());
    if let Some(table) = &canvas.table {
        let inside = usize::from(canvas.background) < table.len() || off(Filter::GifBackground);
        let background = if inside { canvas.background } else { 0 };
        out.extend_from_slice(&[0xF0 | size_field(table), background, 0]);
        out.extend_from_slice(table.as_flattened());
    } else {
        out.extend_from_slice(&[0x70, 0, 0]);
    }
    if let Some(plays) = canvas.plays {
        out.extend_from_slice(b"\x21\xFF\x0BNETSCAPE2.0\x03\x01");
        out.extend_from_slice(&plays.to_le_bytes());
        out.push(0);
    }
    out
}

fn write_frame(out: &mut Vec<u8>, frame: Frame, global: Option<&Table>, cx: &mut Cx<'_>) -> Result<(), Refusal> {
    let Frame { x, y, width, height, control, mut table, indices } = frame;
    let in_force = table.clone();
    let in_force = in_force.as_ref().or(global);
    // Without any table the indices are levels of grey.
    let ramp: Table;
    let in_force = match in_force {
        Some(in_force) => in_force,
        None => {
            ramp = (0..=u8::MAX).map(|level| [level; 3]).collect();
            table = Some(ramp.clone());
            &ramp
        }
    };
    // Indices that the table lacks are black in viewers: the frame gets a table with the black that they show.
    let most = usize::from(indices.iter().copied().max().unwrap_or(0)).saturating_add(1);
    let mut size = size_field(in_force);
    if most > in_force.len() && !off(Filter::GifPalette) {
        let mut larger = in_force.clone();
        larger.resize(most.next_power_of_two(), [0; 3]);
        size = size_field(&larger);
        table = Some(larger);
    }
    let Control { disposal, delay, transparent } = control;
    let flags = (disposal << 2) | u8::from(transparent.is_some());
    let [d0, d1] = delay.to_le_bytes();
    out.extend_from_slice(&[0x21, 0xF9, 4, flags, d0, d1, transparent.unwrap_or(0), 0]);
    out.push(0x2C);
    for side in [x, y, width, height] {
        out.extend_from_slice(&side.to_le_bytes());
    }
    out.push(if table.is_some() { 0x80 | size } else { 0 });
    if let Some(table) = &table {
        out.extend_from_slice(table.as_flattened());
    }
    let code_size = size.saturating_add(1).max(2);
    cx.budget.spend_bytes(indices.len() as u64)?;
    let data = Encoder::new(BitOrder::Lsb, code_size).encode(&indices);
    let data = data.map_err(|_| Refusal::internal("GIF: LZW"))?;
    out.push(code_size);
    for block in data.chunks(255) {
        out.push(u8::try_from(block.len()).unwrap_or(u8::MAX));
        out.extend_from_slice(block);
    }
    out.push(0);
    Ok(())
}

#[cfg(test)]
mod tests;
