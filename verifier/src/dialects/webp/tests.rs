use super::lossless::NEARBY;
use crate::testing::{accept, noise, reject, torture};
use image_webp::{ColorType, WebPEncoder};
use model::Format::Webp;

fn still(width: u32, height: u32, spread: u32, colour: ColorType) -> Vec<u8> {
    let samples = match colour {
        ColorType::L8 => 1,
        ColorType::La8 => 2,
        ColorType::Rgb8 => 3,
        ColorType::Rgba8 => 4,
    };
    let mut out = Vec::new();
    let pixels = noise((width * height) as usize * samples, spread);
    WebPEncoder::new(&mut out).encode(&pixels, width, height, colour).unwrap();
    out
}

/// The VP8L chunk, with head and padding, of a still.
fn chunk_of(still: &[u8]) -> Vec<u8> {
    still[12..].to_vec()
}

fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut out = [&kind[..], &(data.len() as u32).to_le_bytes(), data].concat();
    out.resize(out.len().next_multiple_of(2), 0);
    out
}

fn riff(chunks: &[Vec<u8>]) -> Vec<u8> {
    let body = chunks.concat();
    [b"RIFF", &(body.len() as u32 + 4).to_le_bytes()[..], b"WEBP", &body].concat()
}

fn vp8x(flags: u8) -> Vec<u8> {
    chunk(b"VP8X", &[flags, 0, 0, 0, 5, 0, 0, 3, 0, 0])
}

fn anmf(place: [u8; 4], flags: u8, image: &[u8]) -> Vec<u8> {
    let [x, y, width, height] = place.map(|n| [n, 0, 0]);
    chunk(b"ANMF", &[&x[..], &y, &width, &height, &[100, 0, 0, flags], image].concat())
}

fn animation() -> Vec<Vec<u8>> {
    let first = chunk_of(&still(6, 4, 9, ColorType::Rgb8));
    let second = chunk_of(&still(2, 2, 256, ColorType::Rgba8));
    let frames = [anmf([0, 0, 5, 3], 2, &first), anmf([2, 1, 1, 1], 2, &second)];
    [&[vp8x(0x12), chunk(b"ANIM", &[0; 6])], &frames[..]].concat()
}

#[test]
fn our_encoders_pictures_are_accepted() {
    for colour in [ColorType::L8, ColorType::La8, ColorType::Rgb8, ColorType::Rgba8] {
        for (width, height) in [(1, 1), (1, 9), (7, 1), (16, 16), (33, 65), (300, 120)] {
            for spread in [1, 2, 5, 17, 256] {
                accept(&still(width, height, spread, colour), Webp);
            }
        }
    }
    accept(&riff(&animation()), Webp);
}

#[test]
fn no_mutation_panics() {
    torture(&still(9, 5, 30, ColorType::Rgba8), Webp);
    torture(&riff(&animation()), Webp);
}

#[test]
fn img_13_chunks_that_are_not_ours() {
    let image = chunk_of(&still(6, 4, 9, ColorType::Rgb8));
    accept(&riff(std::slice::from_ref(&image)), Webp);
    for kind in [b"EXIF", b"XMP ", b"ICCP", b"ALPH", b"VP8 ", b"abcd"] {
        let planted = chunk(kind, b"<?php evil(); ?>");
        reject(&riff(&[image.clone(), planted.clone()]), Webp, "after the image");
        reject(&riff(&[planted.clone(), image.clone()]), Webp, "VP8X expected");
        reject(&riff(&[vp8x(0x08), image.clone(), planted.clone()]), Webp, "ANIM expected");
        for at in 1..=animation().len() {
            let mut chunks = animation();
            chunks.insert(at, planted.clone());
            reject(&riff(&chunks), Webp, "expected");
        }
        let mut inside = animation();
        inside[2] = anmf([0, 0, 5, 3], 2, &[planted, image.clone()].concat());
        reject(&riff(&inside), Webp, "VP8L expected");
        inside[2] = anmf([0, 0, 5, 3], 2, &[image.clone(), chunk(kind, b"x")].concat());
        reject(&riff(&inside), Webp, "after VP8L");
    }
    reject(&riff(&[image.clone(), image.clone()]), Webp, "after the image");
    reject(&riff(&[vp8x(0), image.clone()]), Webp, "ANIM expected");
    let data = &image[8..8 + u32::from_le_bytes([image[4], image[5], image[6], image[7]]) as usize];
    for tail in [&[0][..], b"hidden"] {
        reject(&riff(&[chunk(b"VP8L", &[data, tail].concat())]), Webp, "after the last pixel");
    }
    let mut odd = chunk(b"VP8L", &data[..data.len() & !1]);
    odd.push(0);
    reject(&riff(&[odd]), Webp, "even");
}

#[test]
fn animations_keep_their_promises() {
    let change = |at: usize, chunk: Vec<u8>, why: &str| {
        let mut chunks = animation();
        chunks[at] = chunk;
        reject(&riff(&chunks), Webp, why);
    };
    let (first, second) = (still(6, 4, 9, ColorType::Rgb8), still(2, 2, 256, ColorType::Rgba8));
    let (first, second) = (chunk_of(&first), chunk_of(&second));
    for flags in [0x02, 0x00, 0x13, 0x16, 0x1A, 0x32, 0x92] {
        change(0, vp8x(flags), "flags");
    }
    change(3, anmf([2, 1, 1, 1], 2, &first), "another size");
    change(0, chunk(b"VP8X", &[0x12, 1, 0, 0, 5, 0, 0, 3, 0, 0]), "reserved");
    change(0, chunk(b"VP8X", &[0x12, 0, 0, 0, 5, 0, 0, 3, 0, 0, 0]), "after VP8X");
    change(0, chunk(b"VP8X", &[0x12, 0, 0, 0, 6, 0, 0, 3, 0, 0]), "spans");
    change(1, chunk(b"ANIM", &[1, 0, 0, 0, 0, 0]), "background");
    change(3, anmf([3, 1, 1, 1], 2, &second), "outside the canvas");
    change(3, anmf([2, 1, 1, 1], 0, &second), "neither blended");
    change(3, anmf([2, 1, 1, 1], 3, &second), "neither blended");
    change(3, anmf([2, 1, 1, 1], 6, &second), "neither blended");
    let chunks = animation();
    reject(&riff(&chunks[..2]), Webp, "ANMF expected");
    let mut padding = still(9, 5, 30, ColorType::Rgba8);
    let len = u32::from_le_bytes([padding[16], padding[17], padding[18], padding[19]]);
    if len % 2 == 1 {
        *padding.last_mut().unwrap() = 1;
        reject(&padding, Webp, "padding");
    }
}

/// A picture of one pixel with these bits (value, width) behind the header.
fn pixel(fields: &[(u32, u32)]) -> Vec<u8> {
    let head = [(0x2F, 8), (0, 14), (0, 14), (0, 4)];
    let bits: Vec<u32> =
        head.iter().chain(fields).flat_map(|(value, width)| (0..*width).map(move |n| value >> n & 1)).collect();
    let data: Vec<u8> =
        bits.chunks(8).map(|byte| byte.iter().rev().fold(0, |sum, bit| sum << 1 | *bit as u8)).collect();
    riff(&[chunk(b"VP8L", &data)])
}

/// A code of one symbol.
const fn single(symbol: u32) -> (u32, u32) {
    (0b101 | symbol << 3, 11)
}

#[test]
fn codes_are_of_the_alphabet_and_all_used() {
    let none = [(0, 1), (0, 1), (0, 1)];
    let five = [single(1); 5];
    accept(&pixel(&[&none[..], &five].concat()), Webp);
    reject(&pixel(&[&none[..], &five, &[(1, 1)]].concat()), Webp, "padding");
    reject(&pixel(&[&none[..], &five[..4]].concat()), Webp, "ends early");
    reject(&pixel(&[&none[..], &five[..4], &[single(40)]].concat()), Webp, "simple code");
    // Two symbols that are one.
    reject(
        &pixel(&[&none[..], &[(0b111 | 9 << 3 | 9 << 11, 19)], &five[..4], &[(0, 1)]].concat()),
        Webp,
        "simple code",
    );
    reject(&pixel(&[&[(0, 1), (1, 1), (12, 4), (0, 1)], &five[..]].concat()), Webp, "cache bits");
    reject(&pixel(&[&[(1, 1), (2, 2), (1, 1), (2, 2), (0, 1)], &none[..], &five].concat()), Webp, "twice");
    // The group of the only block: its number is what the one code for green says.
    let chosen = |number, groups| {
        let map = [&[(0, 1), (0, 1), (1, 1), (0, 3), (0, 1), single(number)], &[single(0); 4][..]].concat();
        pixel(&[map, five.repeat(groups)].concat())
    };
    accept(&chosen(0, 1), Webp);
    reject(&chosen(1, 2), Webp, "no block uses");
}

#[test]
fn nearby_places_come_in_the_order_of_their_distance() {
    let far = |(x, y): &(i8, i8)| i32::from(*x).pow(2) + i32::from(*y).pow(2);
    assert!(NEARBY.is_sorted_by_key(far));
    let unique: std::collections::BTreeSet<_> = NEARBY.iter().collect();
    // Rows above: 16 places each of 7, and 8 to the left in this row.
    assert_eq!(unique.len(), 120);
    assert!(NEARBY.iter().all(|(x, y)| (-7..=8).contains(x) && (0..=7).contains(y) && (*y > 0 || *x > 0)));
}

#[test]
#[ignore = "a measurement"]
fn speed() {
    let webp = still(4000, 3000, 23, ColorType::Rgb8);
    let start = std::time::Instant::now();
    accept(&webp, Webp);
    println!("{:.0} MP/s ({} bytes)", 12.0 / start.elapsed().as_secs_f64(), webp.len());
}
