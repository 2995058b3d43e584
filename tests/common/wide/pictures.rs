//! Pictures of each colour, depth and form that we write.

use png::{BitDepth, ColorType};

/// Bytes that are no run and no repetition.
fn noise(len: usize) -> Vec<u8> {
    let mut chance = crate::common::Chance(77);
    (0..len).map(|_| u8::try_from(chance.below(256)).unwrap()).collect()
}

/// Names and bytes of all.
pub fn all() -> Vec<(String, Vec<u8>)> {
    let mut all = pngs();
    all.extend(tiffs());
    all.extend(bmps());
    all.extend(webps());
    for (name, bytes) in [("a.jpeg", samples::jpeg()), ("b.jpe", super::grey_jpeg()), ("c.jfif", quartered_jpeg())] {
        all.push((format!("jpeg/{name}"), bytes));
    }
    all
}

fn png(
    width: u32,
    height: u32,
    colour: ColorType,
    depth: BitDepth,
    set: impl Fn(&mut png::Encoder<'_, &mut Vec<u8>>),
) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, width, height);
    encoder.set_color(colour);
    encoder.set_depth(depth);
    if colour == ColorType::Indexed {
        let entries = 1usize << (depth as u8).min(7);
        encoder.set_palette(noise(3 * entries));
    }
    set(&mut encoder);
    let row = (width as usize * colour.samples() * depth as usize).div_ceil(8);
    let mut data = noise(row * height as usize);
    if colour == ColorType::Indexed {
        let mask = if depth == BitDepth::Eight { 0x7f } else { 0xff };
        data.iter_mut().for_each(|b| *b &= mask);
    }
    let used = depth as usize * (width as usize) * colour.samples() % 8;
    if used != 0 {
        data.chunks_mut(row).for_each(|line| *line.last_mut().unwrap() &= 0xffu8 << (8 - used));
    }
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&data).unwrap();
    drop(writer);
    out
}

fn pngs() -> Vec<(String, Vec<u8>)> {
    use BitDepth::{Eight, Four, One, Sixteen, Two};
    let mut all = Vec::new();
    let kinds: [(ColorType, &[BitDepth]); 5] = [
        (ColorType::Grayscale, &[One, Two, Four, Eight, Sixteen]),
        (ColorType::Rgb, &[Eight, Sixteen]),
        (ColorType::Indexed, &[One, Two, Four, Eight]),
        (ColorType::GrayscaleAlpha, &[Eight, Sixteen]),
        (ColorType::Rgba, &[Eight, Sixteen]),
    ];
    for (colour, depths) in kinds {
        for depth in depths {
            all.push(png(5, 3, colour, *depth, |_| {}));
            all.push(png(5, 3, colour, *depth, |e| e.set_source_srgb(png::SrgbRenderingIntent::Perceptual)));
            all.push(png(5, 3, colour, *depth, |e| {
                e.set_source_gamma(png::ScaledFloat::new(1.0 / 1.8));
                let (w, r, g, b) = ((0.3127, 0.329), (0.64, 0.33), (0.3, 0.6), (0.15, 0.06));
                e.set_source_chromaticities(png::SourceChromaticities::new(w, r, g, b));
            }));
        }
    }
    for unit in [png::Unit::Unspecified, png::Unit::Meter] {
        all.push(png(2, 2, ColorType::Rgb, Eight, |e| {
            e.set_pixel_dims(Some(png::PixelDimensions { xppu: 2835, yppu: 2835, unit }));
        }));
    }
    for (colour, depth, clear) in
        [(ColorType::Grayscale, Eight, 2), (ColorType::Rgb, Eight, 6), (ColorType::Indexed, Two, 2)]
    {
        all.push(png(4, 2, colour, depth, |e| e.set_trns(vec![0u8; clear])));
    }
    // Rows that each filter makes small, under a palette that has a hole at its end.
    for (width, height) in [(64u32, 40), (300, 40), (60_000, 4)] {
        all.push(slopes(width, height));
    }
    all.push(animated());
    (1..).zip(all).map(|(n, bytes)| (format!("png/{n}.png"), bytes)).collect()
}

/// Indices that go up along the row, down the column and along the diagonal.
fn slopes(width: u32, height: u32) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, width, height);
    encoder.set_color(ColorType::Indexed);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_palette(noise(3 * 250));
    let random = noise(width as usize);
    let mut data = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let index = match y % 5 {
                0 => x * 3 % 250,
                1 => (x * 3 + 7) % 250,
                2 => u32::from(random[x as usize]) % 250,
                3 => (u32::from(random[x as usize]) % 250 + x) / 2 % 250,
                _ => (u32::from(random[x as usize]) + y) % 250,
            };
            data.push(u8::try_from(index).unwrap());
        }
    }
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&data).unwrap();
    drop(writer);
    out
}

fn animated() -> Vec<u8> {
    use png::{BlendOp, DisposeOp};
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, 4, 4);
    encoder.set_color(ColorType::Rgba);
    encoder.set_animated(4, 0).unwrap();
    let mut writer = encoder.write_header().unwrap();
    let ops = [
        (DisposeOp::None, BlendOp::Source),
        (DisposeOp::Background, BlendOp::Over),
        (DisposeOp::Previous, BlendOp::Source),
        (DisposeOp::None, BlendOp::Over),
    ];
    for (dispose, blend) in ops {
        writer.set_dispose_op(dispose).unwrap();
        writer.set_blend_op(blend).unwrap();
        writer.write_image_data(&noise(64)).unwrap();
    }
    drop(writer);
    out
}

/// A BMP of 3 by 2 with these bits; 32 bits have masks and alpha.
fn bmp(bits: u16) -> Vec<u8> {
    let entries: u32 = if bits <= 8 { 1 << bits.min(4) } else { 0 };
    let head: u32 = if bits == 32 { 108 } else { 40 };
    let row = (3 * usize::from(bits)).div_ceil(8).next_multiple_of(4);
    let offset = 14 + head + 4 * entries;
    let image = u32::try_from(2 * row).unwrap();
    let mut out = b"BM".to_vec();
    for value in [offset + image, 0, offset, head, 3, 2] {
        out.extend(value.to_le_bytes());
    }
    out.extend([1, 0]);
    out.extend(bits.to_le_bytes());
    for value in [if bits == 32 { 3 } else { 0 }, image, 2835, 2835, entries, 0] {
        out.extend(u32::to_le_bytes(value));
    }
    if bits == 32 {
        for mask in [0x00FF_0000u32, 0xFF00, 0xFF, 0xFF00_0000, 0x7352_4742] {
            out.extend(mask.to_le_bytes());
        }
        out.extend([0; 48]);
    }
    for entry in 0..entries {
        out.extend((entry * 0x01_0101).to_le_bytes());
    }
    let pixel: &[u8] = match bits {
        1 => &[0b1010_0000],
        4 => &[0x12, 0x30],
        8 => &[1, 2, 3],
        24 => &[1, 2, 3, 4, 5, 6, 7, 8, 9],
        _ => &[1, 2, 3, 255, 4, 5, 6, 128, 7, 8, 9, 0],
    };
    for _ in 0..2 {
        out.extend(pixel);
        out.resize(out.len() + row - pixel.len(), 0);
    }
    out
}

fn bmps() -> Vec<(String, Vec<u8>)> {
    let all = [1, 4, 8, 24, 32].map(|bits| (format!("bmp/{bits}.bmp"), bmp(bits)));
    all.into_iter().chain([("bmp/a.dib".to_owned(), bmp(24))]).collect()
}

/// Fields of a page: tag and values; 256, 257, 273, 278 and 279 are added.
type Fields<'f> = &'f [(u16, &'f [u16])];

/// A TIFF of pages of 3 by 2, low byte first, without compression.
fn tiff(pages: &[(Fields<'_>, usize)]) -> Vec<u8> {
    let mut out = b"II*\0\0\0\0\0".to_vec();
    let mut link = 4;
    for (fields, len) in pages {
        let data = out.len();
        out.extend(noise(*len));
        out.resize(out.len().next_multiple_of(2), 0);
        let mut all: Vec<(u16, Vec<u16>)> = fields.iter().map(|(tag, values)| (*tag, values.to_vec())).collect();
        let at = u16::try_from(data).unwrap();
        for (tag, value) in [(256, 3), (257, 2), (259, 1), (273, at), (278, 2), (279, u16::try_from(*len).unwrap())] {
            all.push((tag, vec![value]));
        }
        all.sort();
        let mut placed = Vec::new();
        for (tag, values) in &all {
            let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
            let mut value = [0; 4];
            if bytes.len() <= 4 {
                value[..bytes.len()].copy_from_slice(&bytes);
            } else {
                value = u32::try_from(out.len()).unwrap().to_le_bytes();
                out.extend(bytes);
            }
            placed.push((*tag, values.len(), value));
        }
        let here = u32::try_from(out.len()).unwrap().to_le_bytes();
        out[link..link + 4].copy_from_slice(&here);
        out.extend(u16::try_from(placed.len()).unwrap().to_le_bytes());
        for (tag, count, value) in placed {
            out.extend(tag.to_le_bytes());
            out.extend(3u16.to_le_bytes());
            out.extend(u32::try_from(count).unwrap().to_le_bytes());
            out.extend(value);
        }
        link = out.len();
        out.extend([0; 4]);
    }
    out
}

fn tiffs() -> Vec<(String, Vec<u8>)> {
    let map: Vec<u16> = noise(1536).chunks(2).map(|b| u16::from_le_bytes([b[0], b[1]])).collect();
    let mut all = vec![tiff(&[(&[(258, &[1]), (262, &[1]), (277, &[1])], 2)])];
    all.push(tiff(&[(&[(258, &[8]), (262, &[3]), (277, &[1]), (320, &map)], 6)]));
    all.push(tiff(&[(&[(258, &[8, 8]), (262, &[3]), (277, &[2]), (320, &map), (338, &[2])], 12)]));
    for bits in [8u16, 16, 32, 64] {
        let size = usize::from(bits / 8);
        for format in [1u16, 2, 3] {
            all.push(tiff(&[(&[(258, &[bits]), (262, &[1]), (277, &[1]), (339, &[format])], 6 * size)]));
            all.push(tiff(&[(&[(258, &[bits; 3]), (262, &[2]), (277, &[3]), (339, &[format; 3])], 18 * size)]));
        }
        for alpha in [1u16, 2] {
            all.push(tiff(&[(&[(258, &[bits, bits]), (262, &[1]), (277, &[2]), (338, &[alpha])], 12 * size)]));
            all.push(tiff(&[(&[(258, &[bits; 4]), (262, &[2]), (277, &[4]), (338, &[alpha])], 24 * size)]));
        }
    }
    let page: Fields<'_> = &[(258, &[8]), (262, &[1]), (277, &[1])];
    let second: Fields<'_> = &[(254, &[2]), (258, &[8]), (262, &[1]), (277, &[1])];
    all.push(tiff(&[(page, 6), (second, 6)]));
    (1..).zip(all).map(|(n, bytes)| (format!("tiff/{n}.{}", if n == 1 { "tiff" } else { "tif" }), bytes)).collect()
}

/// Lossless pictures of few colours and of many, of alpha, and of repetitions far and near.
fn webps() -> Vec<(String, Vec<u8>)> {
    let encode = |picture: &image::RgbaImage| {
        let mut out = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut out, image::ImageFormat::WebP).unwrap();
        out.into_inner()
    };
    let mut all = Vec::new();
    for colours in [1u64, 2, 3, 4, 9, 16, 40, 256] {
        let palette = noise(1024);
        let mut chance = crate::common::Chance(colours);
        all.push(encode(&image::RgbaImage::from_fn(40, 40, |_, _| {
            let at = usize::try_from(chance.below(colours)).unwrap() * 3;
            image::Rgba([palette[at], palette[at + 1], palette[at + 2], 255])
        })));
    }
    all.push(encode(&image::RgbaImage::from_fn(60, 60, |x, y| {
        image::Rgba([u8::try_from(x * 4).unwrap(), u8::try_from(y * 4).unwrap(), 9, u8::try_from(x + y).unwrap()])
    })));
    (1..).zip(all).map(|(n, bytes)| (format!("webp/{n}.webp"), bytes)).collect()
}

fn quartered_jpeg() -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut out, 90);
    encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::F_2_2);
    encoder.encode(&noise(40 * 40 * 3), 40, 40, jpeg_encoder::ColorType::Rgb).unwrap();
    out
}
