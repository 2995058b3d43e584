use super::super::picture_tests::{encoded, rebuild, rgba};
use super::*;
use model::Format::Webp;

fn lossless(width: u32, height: u32, pixel: [u8; 4]) -> Vec<u8> {
    let samples = pixel.repeat((width * height) as usize);
    let mut out = Vec::new();
    WebPEncoder::new(&mut out).encode(&samples, width, height, ColorType::Rgba8).unwrap();
    out[12..].to_vec()
}

/// Frames of 2x2 on a canvas of 4x2: red on the left, then green on the right.
fn animation(flags: u8) -> Vec<u8> {
    let mut frames = Vec::new();
    for (x, pixel) in [(0, [255, 0, 0, 255]), (2, [0, 255, 0, 255])] {
        let part = Part { x, y: 0, width: 2, height: 2 };
        let start = frames.len();
        container::frame(&mut frames, &part, 40, &lossless(2, 2, pixel)).unwrap();
        frames[start + 8 + 15] = flags;
    }
    container::animation(4, 2, true, 5, &frames).unwrap()
}

/// What a viewer shows at the two ends of the canvas, frame by frame.
fn ends(bytes: &[u8]) -> Vec<([u8; 4], [u8; 4])> {
    let mut decoder = WebPDecoder::new(Cursor::new(bytes)).unwrap();
    let mut canvas = vec![0; decoder.output_buffer_size().unwrap()];
    let mut ends = Vec::new();
    for _ in 0..decoder.num_frames() {
        decoder.read_frame(&mut canvas).unwrap();
        ends.push((canvas[..4].try_into().unwrap(), canvas[12..16].try_into().unwrap()));
    }
    ends
}

#[test]
fn frames_are_composed_as_their_flags_say() {
    let (red, green, nothing) = ([255, 0, 0, 255], [0, 255, 0, 255], [0; 4]);
    let kept = rebuild(Webp, &animation(0)).unwrap().0;
    assert_eq!(ends(&kept), [(red, nothing), (red, green)]);
    let disposed = rebuild(Webp, &animation(1)).unwrap().0;
    assert_eq!(ends(&disposed), [(red, nothing), (nothing, green)]);
    for out in [kept, disposed] {
        assert_eq!(rebuild(Webp, &out).unwrap().0, out, "fixed point");
    }
}

#[test]
fn a_still_is_one_chunk() {
    let out = rebuild(Webp, &encoded(&rgba(), image::ImageFormat::WebP)).unwrap().0;
    let length = u32::from_le_bytes(out[16..20].try_into().unwrap()) as usize;
    assert_eq!(&out[12..16], b"VP8L");
    assert_eq!(out.len(), 20 + length + length % 2);
}

#[test]
fn blending_is_source_over_destination() {
    assert_eq!(over([10, 20, 30, 255], [1, 2, 3, 255]), [10, 20, 30, 255]);
    assert_eq!(over([10, 20, 30, 0], [1, 2, 3, 200]), [1, 2, 3, 200]);
    assert_eq!(over([200, 0, 0, 128], [0, 0, 100, 255]), [100, 0, 50, 255]);
}
