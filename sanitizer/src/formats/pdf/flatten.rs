//! Pages as pictures, for what cannot be rebuilt (`docs/formats/pdf.md` §7). `hayro` draws; it has no limits of its
//! own, so pixels are paid for before, and the jail bounds memory and time.

use super::codecs::Samples;
use super::images::encode_jpeg;
use super::value::{Coding, Dict, Id, Object, Val};
use super::walk::{R, Walk, flate};
use super::{pages, write};
use hayro::hayro_interpret::InterpreterSettings;
use hayro::hayro_syntax::page::Page;
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::{PixmapSettings, RenderCache, RenderSettings};
use std::collections::BTreeMap;

/// What prints well and still reads on a screen.
const DOTS_PER_INCH: f32 = 150.0;
/// Ours: PDF-62, a page may claim to be as large as a house.
const MAX_SIDE: f32 = 6000.0;

impl<'a> Walk<'a, '_, '_> {
    /// A page that shows a picture of what `page` shows.
    pub fn flat_page(&mut self, page: &'a Page<'a>, parent: Id, cache: &RenderCache<'a>) -> R<Object> {
        let dict = page.raw();
        let picture = self.draw(page, cache)?;
        let image = self.picture_object(picture)?;
        let id = self.document.reserve();
        self.document.put(id, image);
        let (media, crop) = pages::boxes(dict);
        let mut content = b"q\n".to_vec();
        for n in placement(&crop.unwrap_or(media), pages::rotation(dict)) {
            write::number(&mut content, n);
            content.push(b' ');
        }
        content.extend_from_slice(b"cm\n/X1 Do\nQ\n");
        let stream = self.document.reserve();
        self.document.put(stream, flate(Dict::new(), &content));
        let objects = Dict::new().with("X1", Val::Ref(id));
        let mut out = pages::frame(dict).with("Parent", Val::Ref(parent)).with("Contents", Val::Ref(stream));
        out.set("Resources", Val::Dict(Dict::new().with("XObject", Val::Dict(objects))));
        Ok(Object::Value(Val::Dict(out)))
    }

    fn draw(&mut self, page: &'a Page<'a>, cache: &RenderCache<'a>) -> R<Samples> {
        let (width, height) = page.render_dimensions();
        let longest = width.max(height).max(1.0);
        let scale = (DOTS_PER_INCH / 72.0).min(MAX_SIDE / longest);
        let side = |points: f32| -> u16 {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bound: clamped to MAX_SIDE")]
            {
                (points * scale).clamp(1.0, MAX_SIDE) as u16
            }
        };
        let (columns, rows) = (side(width), side(height));
        // Four bytes a pixel, once for the picture and once while it is drawn.
        self.cx.budget.spend_pixels(columns.into(), rows.into(), 8)?;
        let pixmap = PixmapSettings {
            // A pixel is what the sides were rounded to, so that a thin page is not drawn into nothing.
            x_scale: f32::from(columns) / width.max(f32::MIN_POSITIVE),
            y_scale: f32::from(rows) / height.max(f32::MIN_POSITIVE),
            bg_color: WHITE,
        };
        let settings = InterpreterSettings::default();
        let drawn = hayro::render(page, cache, &settings, &RenderSettings::default(), &pixmap);
        let (width, height) = (u32::from(drawn.width()), u32::from(drawn.height()));
        let rgba = drawn.data_as_u8_slice();
        let data: Vec<u8> = rgba.chunks_exact(4).flat_map(|p| p.iter().take(3).copied()).collect();
        let samples = Samples { width, height, components: 3, bits: 8, data, alpha: None, quarter: false };
        samples.exact().ok_or_else(|| model::Refusal::internal("pdf: a drawn page of no size"))
    }

    /// Grey, up to 256 colours, or a photograph: each as it is smallest.
    fn picture_object(&mut self, samples: Samples) -> R<Object> {
        let mut out = Dict::of("XObject").with("Subtype", Val::name("Image"));
        out.set("Width", Val::int(samples.width));
        out.set("Height", Val::int(samples.height));
        out.set("BitsPerComponent", Val::int(8));
        let pixels = samples.data.as_chunks::<3>().0;
        if pixels.iter().all(|[r, g, b]| r == g && g == b) {
            let gray: Vec<u8> = pixels.iter().map(|[r, _, _]| *r).collect();
            out.set("ColorSpace", Val::name("DeviceGray"));
            return Ok(flate(out, &gray));
        }
        if let Some((palette, indices)) = palette(pixels) {
            let high = Val::size((palette.len() / 3).saturating_sub(1));
            let space = vec![Val::name("Indexed"), Val::name("DeviceRGB"), high, Val::Str(palette)];
            let space = self.document.add(Val::Array(space));
            out.set("ColorSpace", Val::Ref(space));
            return Ok(flate(out, &indices));
        }
        out.set("ColorSpace", Val::name("DeviceRGB"));
        match encode_jpeg(&samples, self.cx.budget)? {
            Some(jpeg) => Ok(Object::Stream(out, Coding::Dct, jpeg)),
            None => Ok(flate(out, &samples.data)),
        }
    }
}

/// At most 256 colours, in the order of their values, and the pixels as indices into them.
fn palette(pixels: &[[u8; 3]]) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut colours: BTreeMap<[u8; 3], u8> = BTreeMap::new();
    let mut last = None;
    for pixel in pixels {
        if last != Some(pixel) {
            colours.insert(*pixel, 0);
            if colours.len() > 256 {
                return None;
            }
            last = Some(pixel);
        }
    }
    for (i, slot) in colours.values_mut().enumerate() {
        *slot = u8::try_from(i).ok()?;
    }
    let indices = pixels.iter().map(|p| colours.get(p).copied().unwrap_or(0)).collect();
    Some((colours.keys().flatten().copied().collect(), indices))
}

/// The matrix that puts an upright picture of a turned page where it will be turned again.
fn placement(shown: &[f64; 4], rotation: i64) -> [f64; 6] {
    let [x, y, right, top] = *shown;
    let (w, h) = (right - x, top - y);
    match rotation {
        90 => [0.0, h, -w, 0.0, right, y],
        180 => [-w, 0.0, 0.0, -h, right, top],
        270 => [0.0, -h, w, 0.0, x, top],
        _ => [w, 0.0, 0.0, h, x, y],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turned_picture_covers_the_same_box() {
        for rotation in [0, 90, 180, 270] {
            let [a, b, c, d, e, f] = placement(&[10.0, 20.0, 110.0, 220.0], rotation);
            let corners = [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)]
                .map(|(u, v): (f64, f64)| (a * u + c * v + e, b * u + d * v + f));
            for (x, y) in corners {
                assert!([10.0, 110.0].contains(&x) && [20.0, 220.0].contains(&y), "{rotation}: {x} {y}");
            }
        }
    }

    #[test]
    fn few_colours_make_a_palette() {
        assert_eq!(palette(&[[9, 9, 9], [1, 2, 3], [9, 9, 9]]), Some((vec![1, 2, 3, 9, 9, 9], vec![1, 0, 1])));
        let many: Vec<[u8; 3]> = (0..=256u16).map(|i| [i.to_be_bytes()[0], i.to_be_bytes()[1], 7]).collect();
        assert_eq!(palette(&many), None);
    }
}
