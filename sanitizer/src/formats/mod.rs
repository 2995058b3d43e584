//! One module a format, or a folder where one grows.

pub mod bmp;
pub mod gif;
pub mod jpeg;
pub mod ooxml;
pub mod pdf;
#[cfg(test)]
mod picture_tests;
pub mod png;
pub(crate) mod raster;
pub mod text;
pub mod tiff;
pub mod webp;
pub mod zip;
