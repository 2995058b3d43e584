//! What a reconstruct jail hands out for engines to scan.

use serde::{Deserialize, Serialize};

/// Why a byte string was exported: engines outside must see more than the raw container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExportKind {
    /// A member of an archive, as stored after decompression.
    Member,
    /// A file inside a document: an embedding, an OLE object, a binary part that was dropped.
    Embedded,
    /// Source text of a script or macro.
    Script,
    /// A decoded stream (PDF stream after its filters).
    Stream,
}

impl ExportKind {
    /// The number that stands for this kind in a spool frame.
    #[must_use]
    pub const fn code(self) -> u32 {
        match self {
            Self::Member => 1,
            Self::Embedded => 2,
            Self::Script => 3,
            Self::Stream => 4,
        }
    }

    /// The kind with this number, `None` where there is none: a frame that says otherwise breaks the protocol.
    #[must_use]
    pub const fn from_code(code: u32) -> Option<Self> {
        match code {
            1 => Some(Self::Member),
            2 => Some(Self::Embedded),
            3 => Some(Self::Script),
            4 => Some(Self::Stream),
            _ => None,
        }
    }
}
