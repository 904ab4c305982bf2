//! The files beside the pages: one style sheet and one mark, built into the
//! binary and served under a name that carries their content's hash, so that a
//! browser may keep them for a year.

use std::sync::LazyLock;

use sha2::{Digest, Sha256};

/// A built-in file.
pub(crate) struct Asset {
    /// The name that carries the hash: `qiao-1f3a….css`.
    pub(crate) name: String,
    /// Its media type.
    pub(crate) media_type: &'static str,
    /// Its bytes.
    pub(crate) bytes: &'static [u8],
}

impl Asset {
    fn new(stem: &str, extension: &str, media_type: &'static str, bytes: &'static [u8]) -> Self {
        let digest = Sha256::digest(bytes);
        let hash = hex::encode(&digest[..8]);
        Self {
            name: format!("{stem}-{hash}.{extension}"),
            media_type,
            bytes,
        }
    }

    /// Where it is served.
    pub(crate) fn path(&self) -> String {
        format!("/assets/{}", self.name)
    }
}

/// The one style sheet.
pub(crate) static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "qiao",
        "css",
        "text/css; charset=utf-8",
        include_bytes!("../../assets/qiao.css"),
    )
});

/// The mark: a bridge's arch and its reflection.
pub(crate) static MARK: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "mark",
        "svg",
        "image/svg+xml",
        include_bytes!("../../assets/mark.svg"),
    )
});

/// The file with this name.
pub(crate) fn find(name: &str) -> Option<&'static Asset> {
    [&*STYLE, &*MARK]
        .into_iter()
        .find(|asset| asset.name == name)
}
