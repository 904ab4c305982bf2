use std::io::Write;
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit, Mac};
use qiao_model::Secret;
use sha2::Sha256;

use crate::engine::ENGINE_VERSION;

/// Machine code on disk. A file begins with an HMAC-SHA-256 under the host's key over
/// what the code was made of, the engine, its settings and the code: whoever can write
/// into the folder still cannot make this host run code that it did not make.
#[derive(Debug)]
pub(crate) struct CompileCache {
    folder: PathBuf,
    key: Secret<[u8; 32]>,
    settings_hash: [u8; 32],
}

const MAC_BYTES: usize = 32;
/// Separates this use of the host key from every other.
const PURPOSE: &[u8] = b"qiao compile cache 1\0";

impl CompileCache {
    pub(crate) fn new(folder: PathBuf, key: Secret<[u8; 32]>, settings_hash: [u8; 32]) -> Self {
        Self {
            folder,
            key,
            settings_hash,
        }
    }

    /// The code that this host made of the component with this digest. A file that is
    /// missing, cut, changed, of another key or of another engine is none.
    pub(crate) fn get(&self, digest: &[u8; 32]) -> Option<Vec<u8>> {
        let path = self.path(digest);
        let mut bytes = std::fs::read(&path).ok()?;
        let mac = bytes.get(..MAC_BYTES)?.to_vec();
        let code = bytes.split_off(MAC_BYTES);
        match self.mac(digest, &code).verify_slice(&mac) {
            Ok(()) => Some(code),
            Err(_) => {
                tracing::warn!(
                    path = %path.display(),
                    "a file of the compile cache was not made by this host; it is compiled again"
                );
                None
            }
        }
    }

    /// Keeps the code. The file appears whole or not at all.
    pub(crate) fn put(&self, digest: &[u8; 32], code: &[u8]) -> std::io::Result<()> {
        std::fs::create_dir_all(&self.folder)?;
        let path = self.path(digest);
        let mac = self.mac(digest, code).finalize().into_bytes();
        let partial = path.with_extension(format!("{}.partial", std::process::id()));
        let written =
            write_whole(&partial, &[&mac, code]).and_then(|()| std::fs::rename(&partial, &path));
        if written.is_err() {
            // The half-written file is of no use; the error that matters is returned.
            drop(std::fs::remove_file(&partial));
        }
        written
    }

    fn mac(&self, digest: &[u8; 32], code: &[u8]) -> Hmac<Sha256> {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.key.expose()) else {
            unreachable!("HMAC takes keys of any length");
        };
        mac.update(PURPOSE);
        mac.update(digest);
        mac.update(&(ENGINE_VERSION.len() as u64).to_be_bytes());
        mac.update(ENGINE_VERSION.as_bytes());
        mac.update(&self.settings_hash);
        mac.update(code);
        mac
    }

    fn path(&self, digest: &[u8; 32]) -> PathBuf {
        let name = hex::encode(digest) + "-" + &hex::encode(&self.settings_hash[..8]) + ".cwasm";
        self.folder.join(name)
    }
}

fn write_whole(path: &Path, parts: &[&[u8]]) -> std::io::Result<()> {
    let mut file = std::fs::File::create(path)?;
    for part in parts {
        file.write_all(part)?;
    }
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(folder: &Path, key: u8) -> CompileCache {
        CompileCache::new(folder.to_path_buf(), Secret::new([key; 32]), [1; 32])
    }

    #[test]
    fn code_is_found_again_by_its_digest() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path(), 7);
        assert_eq!(cache.get(&[9; 32]), None);
        cache.put(&[9; 32], b"code").unwrap();
        assert_eq!(cache.get(&[9; 32]).as_deref(), Some(&b"code"[..]));
        assert_eq!(cache.get(&[8; 32]), None);
    }

    #[test]
    fn a_file_with_one_flipped_bit_anywhere_is_not_trusted() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path(), 7);
        cache.put(&[9; 32], b"code").unwrap();
        let path = cache.path(&[9; 32]);
        let whole = std::fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut tampered = whole.clone();
            tampered[at] ^= 1;
            std::fs::write(&path, tampered).unwrap();
            assert_eq!(cache.get(&[9; 32]), None, "byte {at}");
        }
        std::fs::write(&path, &whole[..10]).unwrap();
        assert_eq!(cache.get(&[9; 32]), None);
    }

    #[test]
    fn code_of_another_host_component_or_engine_is_not_trusted() {
        let folder = tempfile::tempdir().unwrap();
        let ours = cache(folder.path(), 7);
        cache(folder.path(), 8).put(&[9; 32], b"code").unwrap();
        assert_eq!(ours.get(&[9; 32]), None);

        ours.put(&[9; 32], b"code").unwrap();
        std::fs::copy(ours.path(&[9; 32]), ours.path(&[5; 32])).unwrap();
        assert_eq!(ours.get(&[5; 32]), None);

        let other = CompileCache::new(folder.path().to_path_buf(), Secret::new([7; 32]), [2; 32]);
        std::fs::copy(ours.path(&[9; 32]), other.path(&[9; 32])).unwrap();
        assert_eq!(other.get(&[9; 32]), None);
    }
}
