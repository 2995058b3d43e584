use crate::crc32::crc32_of;
use crate::testing::{accept, noise, reject, torture, zlib};
use model::Format::Png;

type Parts = Vec<([u8; 4], Vec<u8>)>;

fn file(parts: &Parts) -> Vec<u8> {
    let mut out = b"\x89PNG\r\n\x1A\n".to_vec();
    for (kind, data) in parts {
        out.extend_from_slice(&u32::try_from(data.len()).unwrap().to_be_bytes());
        out.extend_from_slice(kind);
        out.extend_from_slice(data);
        out.extend_from_slice(&crc32_of(&[kind, data]).to_be_bytes());
    }
    out
}

fn ihdr(width: u32, height: u32, depth: u8, colour: u8) -> ([u8; 4], Vec<u8>) {
    let rest = [depth, colour, 0, 0, 0];
    (*b"IHDR", [&width.to_be_bytes()[..], &height.to_be_bytes(), &rest].concat())
}

/// Rows of `bytes` each, all filter types in turn.
fn rows(bytes: usize, height: usize, byte: u8) -> Vec<u8> {
    (0..height).flat_map(|y| std::iter::once((y % 5) as u8).chain(std::iter::repeat_n(byte, bytes))).collect()
}

/// A still of 5 x 7.
fn still(depth: u8, colour: u8) -> Parts {
    let samples = [1, 0, 3, 1, 2, 0, 4][usize::from(colour)];
    let bytes = (5 * samples * usize::from(depth)).div_ceil(8);
    let mut parts = vec![ihdr(5, 7, depth, colour)];
    if colour == 3 {
        parts.push((*b"PLTE", vec![9; 6]));
    }
    let mut data = rows(bytes, 7, 0);
    if colour == 3 || depth < 8 {
        unfiltered(&mut data, bytes);
    }
    parts.push((*b"IDAT", zlib(&data)));
    parts.push((*b"IEND", vec![]));
    parts
}

/// Rows of so many bytes, as we write them for palettes and small depths.
fn unfiltered(data: &mut [u8], bytes: usize) {
    data.iter_mut().step_by(bytes + 1).for_each(|filter| *filter = 0);
}

fn fctl(number: u32, [width, height, x, y]: [u32; 4], ops: [u8; 2]) -> ([u8; 4], Vec<u8>) {
    let numbers = [number, width, height, x, y].map(u32::to_be_bytes).concat();
    (*b"fcTL", [&numbers[..], &[0, 1, 0, 10], &ops].concat())
}

fn fdat(number: u32, data: &[u8]) -> ([u8; 4], Vec<u8>) {
    (*b"fdAT", [&number.to_be_bytes(), data].concat())
}

fn animation() -> Parts {
    let frame = zlib(&rows(3 * 4, 2, 1));
    let (head, tail) = frame.split_at(4);
    vec![
        ihdr(5, 7, 8, 6),
        (*b"acTL", vec![0, 0, 0, 2, 0, 0, 0, 0]),
        fctl(0, [5, 7, 0, 0], [0, 0]),
        (*b"IDAT", zlib(&rows(20, 7, 0))),
        fctl(1, [3, 2, 2, 5], [2, 1]),
        fdat(2, head),
        fdat(3, tail),
        (*b"IEND", vec![]),
    ]
}

fn with(mut parts: Parts, at: usize, kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    parts.insert(at, (*kind, data.to_vec()));
    file(&parts)
}

#[test]
fn every_kind_is_accepted_and_no_mutation_panics() {
    let kinds = [(0, &[1, 2, 4, 8, 16][..]), (2, &[8, 16]), (3, &[1, 2, 4, 8]), (4, &[8, 16]), (6, &[8, 16])];
    for (colour, depths) in kinds {
        for depth in depths {
            accept(&file(&still(*depth, colour)), Png);
        }
    }
    let mut parts = still(2, 3);
    parts.insert(1, (*b"sRGB", vec![0]));
    parts.insert(2, (*b"pHYs", vec![0, 0, 14, 196, 0, 0, 14, 196, 1]));
    parts.insert(4, (*b"tRNS", vec![0]));
    assert_eq!(torture(&file(&parts), Png), 0, "a CRC finds every single flip");
    assert_eq!(torture(&file(&animation()), Png), 0);
    let mut hidden = animation();
    hidden.remove(2);
    hidden[1].1[3] = 1;
    hidden[3] = fctl(0, [3, 2, 2, 5], [0, 0]);
    hidden[4].1[3] = 1;
    hidden[5].1[3] = 2;
    accept(&file(&hidden), Png);
}

#[test]
fn img_07_chunks_that_are_not_ours() {
    let text = b"profile\0/etc/hosts";
    for kind in [b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"iCCP", b"tIME", b"hIST", b"cHRM", b"prVt", b"CgBI"] {
        for at in 1..=3 {
            let bytes = with(still(8, 2), at, kind, text);
            if at == 3 { reject(&bytes, Png, "after IEND") } else { reject(&bytes, Png, "chunk") }
        }
    }
    reject(&with(still(8, 2), 0, b"tEXt", text), Png, "IHDR");
    reject(&with(still(8, 2), 1, b"sRGB", &[1]), Png, "sRGB");
    reject(&with(still(8, 0), 1, b"sRGB", &[0]), Png, "sRGB");
    reject(&with(still(8, 2), 1, b"PLTE", &[0; 3]), Png, "PLTE");
    reject(&with(still(8, 2), 1, b"gAMA", &[0, 0, 0, 9]), Png, "gAMA");
    reject(&with(still(8, 2), 1, b"gAMA", b"\0\0\xB1\x8F<?php"), Png, "gAMA");
    let gamma = |colour, points: &[u8]| {
        let mut parts = still(8, colour);
        parts.insert(1, (*b"gAMA", vec![0, 0, 0xB1, 0x8F]));
        parts.insert(2, (*b"cHRM", points.to_vec()));
        parts
    };
    accept(&file(&gamma(2, &[0; 32])), Png);
    reject(&file(&gamma(0, &[0; 32])), Png, "cHRM");
    reject(&file(&gamma(2, &[0; 36])), Png, "cHRM");
    reject(&file(&gamma(2, &[9; 32])), Png, "cHRM");
    reject(&with(gamma(2, &[0; 32]), 1, b"sRGB", &[0]), Png, "expected");
    reject(&with(gamma(2, &[0; 32]), 3, b"sRGB", &[0]), Png, "expected");
    reject(&with(still(8, 3), 2, b"PLTE", &[0; 3]), Png, "expected");
    reject(&with(still(1, 3), 2, b"tRNS", &[0; 3]), Png, "tRNS");
    reject(&with(still(8, 6), 1, b"tRNS", &[0; 2]), Png, "tRNS");
    reject(&with(still(8, 2), 1, b"tRNS", &[1, 0, 0, 0, 0, 0]), Png, "above the depth");
    accept(&with(still(8, 2), 1, b"tRNS", &[0, 1, 0, 0, 0, 0]), Png);
    reject(&with(still(8, 2), 2, b"IDAT", &zlib(&rows(15, 7, 0))), Png, "zlib stream");
    reject(&with(still(8, 2), 1, b"acTL", &[0, 0, 0, 1, 0, 0, 0, 0]), Png, "num_frames");
    reject(&with(still(8, 2), 2, b"fcTL", &fctl(0, [5, 7, 0, 0], [0, 0]).1), Png, "no place");
}

#[test]
fn img_08_tricks_in_the_image_data() {
    let swap = |data: Vec<u8>| {
        let mut parts = still(8, 2);
        parts[1].1 = data;
        file(&parts)
    };
    let good = zlib(&rows(15, 7, 0));
    accept(&swap(good.clone()), Png);
    let mut wrong_sum = good.clone();
    *wrong_sum.last_mut().unwrap() ^= 1;
    reject(&swap(wrong_sum), Png, "ADLER32");
    reject(&swap([&good[..], b"payload"].concat()), Png, "behind the zlib stream");
    reject(&swap(zlib(&[rows(15, 7, 0), vec![0]].concat())), Png, "more than the image");
    reject(&swap(zlib(&rows(15, 6, 0))), Png, "rows are missing");
    reject(&swap(zlib(&rows(15, 7, 0)[..111])), Png, "rows are missing");
    let mut filter = rows(15, 7, 0);
    filter[16] = 5;
    reject(&swap(zlib(&filter)), Png, "filter type");
    reject(&with(still(8, 2), 2, b"IDAT", &[]), Png, "empty image data");
    let mut split = still(8, 2);
    split[1].1 = good[..9].to_vec();
    accept(&with(split, 2, b"IDAT", &good[9..]), Png);
    let mut interlaced = still(8, 2);
    interlaced[0].1[12] = 1;
    reject(&file(&interlaced), Png, "interlace");
    let mut flood = still(8, 2);
    flood[0] = ihdr(0x7FFF_FFFF, 0x7FFF_FFFF, 8, 2);
    reject(&file(&flood), Png, "pixels");
}

#[test]
fn an_index_outside_the_palette_is_found_and_no_filter_hides_it() {
    for depth in [2, 4, 8] {
        for filter in 0..5u8 {
            let bytes = 5 * usize::from(depth) / 8 + usize::from(depth != 8);
            let top = 0xFF << (8 - depth);
            for (index, fine) in [(1, true), (2, false)] {
                let mut data = vec![0; (bytes + 1) * 7];
                let value = if depth == 8 { index } else { (index << (8 - depth)) & top };
                data[bytes + 1] = filter;
                data[bytes + 2] = value;
                let mut parts = still(depth, 3);
                parts[2].1 = zlib(&data);
                match (filter, fine) {
                    (0, true) => accept(&file(&parts), Png),
                    (0, false) => reject(&file(&parts), Png, "outside PLTE"),
                    _ => reject(&file(&parts), Png, "filter type"),
                }
            }
        }
    }
}

#[test]
fn a_bit_that_pads_a_row_is_no_hiding_place() {
    for colour in [0, 3] {
        let mut data = rows(1, 7, 0);
        unfiltered(&mut data, 1);
        data[1] = 0b0000_0100;
        let mut parts = still(1, colour);
        let image = parts.len() - 2;
        parts[image].1 = zlib(&data);
        reject(&file(&parts), Png, "padding");
        data[1] = 0b0000_1000;
        parts[image].1 = zlib(&data);
        accept(&file(&parts), Png);
    }
}

#[test]
fn animations_keep_their_numbers_and_their_canvas() {
    let change = |at: usize, part: ([u8; 4], Vec<u8>), why: &str| {
        let mut parts = animation();
        parts[at] = part;
        reject(&file(&parts), Png, why);
    };
    change(1, (*b"acTL", vec![0, 0, 0, 3, 0, 0, 0, 0]), "num_frames");
    change(1, (*b"acTL", vec![0; 8]), "acTL");
    change(2, fctl(1, [5, 7, 0, 0], [0, 0]), "sequence");
    change(2, fctl(0, [4, 7, 0, 0], [0, 0]), "spans");
    change(4, fctl(1, [3, 2, 3, 5], [0, 0]), "region");
    change(4, fctl(1, [3, 2, u32::MAX, 5], [0, 0]), "region");
    change(4, fctl(1, [3, 2, 2, 5], [3, 0]), "dispose_op");
    change(4, fctl(1, [3, 2, 2, 5], [0, 2]), "dispose_op");
    change(4, fctl(1, [3, 3, 2, 4], [0, 0]), "rows are missing");
    change(5, fdat(9, &[0]), "sequence");
}

/// Not a test of right or wrong: prints what reading costs. `cargo test --release -p verifier speed -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn speed() {
    let (width, height) = (4000usize, 3000usize);
    for (name, depth, colour, bytes) in [("RGB", 8, 2, width * 3), ("palette", 8, 3, width)] {
        let mut data = noise((bytes + 1) * height, if colour == 3 { 7 } else { 23 });
        data.chunks_mut(bytes + 1).for_each(|row| row[0] = u8::from(colour == 2));
        let parts =
            [ihdr(4000, 3000, depth, colour), (*b"PLTE", vec![1; 40 * 3]), (*b"IDAT", zlib(&data)), (*b"IEND", vec![])];
        let parts = parts.into_iter().filter(|part| part.0 != *b"PLTE" || colour == 3).collect();
        let png = file(&parts);
        let start = std::time::Instant::now();
        accept(&png, Png);
        let seconds = start.elapsed().as_secs_f64();
        let (pixels, plain) = ((width * height) as f64 / 1e6, data.len() as f64 / 1e6);
        println!(
            "{name}: {:.0} MP/s, {:.0} MB/s of rows, {} -> {}",
            pixels / seconds,
            plain / seconds,
            png.len(),
            data.len()
        );
    }
}
