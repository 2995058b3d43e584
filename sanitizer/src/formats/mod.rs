//! One module a format, or a folder where one grows.

pub mod text;
