//! The checkpoint as a QR code (ISO/IEC 18004), error correction M.

use qrcode::{Color, EcLevel, QrCode};

/// Width in modules, and the modules row by row; `true` is dark.
pub struct Modules {
    /// Modules a side.
    pub width: usize,
    dark: Vec<bool>,
}

impl Modules {
    /// `None` where the text is longer than a code holds.
    pub fn of(text: &str) -> Option<Self> {
        let code = QrCode::with_error_correction_level(text.as_bytes(), EcLevel::M).ok()?;
        let dark = code.to_colors().into_iter().map(|color| color == Color::Dark).collect();
        Some(Self { width: code.width(), dark })
    }

    /// Runs of dark modules: row, first column, length.
    pub fn runs(&self) -> Vec<(usize, usize, usize)> {
        let mut runs = Vec::new();
        for (y, row) in self.dark.chunks(self.width.max(1)).enumerate() {
            let mut x = 0usize;
            for group in row.chunk_by(|a, b| a == b) {
                if group.first() == Some(&true) {
                    runs.push((y, x, group.len()));
                }
                x = x.saturating_add(group.len());
            }
        }
        runs
    }
}
