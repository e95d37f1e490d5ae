//! Snapshots of figures on disk: a file a tenant, replaced whole. Knows nothing of what is in them.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use actors::ports::{SnapshotError, Snapshots};
use async_trait::async_trait;
use schema::ids::TenantId;

/// Before the content: its checksum.
const HEAD: usize = 4;

/// Files in a directory of their own.
pub struct DiskSnapshots {
    directory: PathBuf,
}

impl DiskSnapshots {
    /// Makes the directory if it is not there.
    pub fn open(directory: &Path) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        Ok(Self { directory: directory.to_owned() })
    }

    fn path(&self, tenant: &TenantId) -> PathBuf {
        self.directory.join(tenant.as_str())
    }
}

#[async_trait]
impl Snapshots for DiskSnapshots {
    async fn load(&self, tenant: &TenantId) -> Result<Option<Vec<u8>>, SnapshotError> {
        let path = self.path(tenant);
        apart(move || match fs::read(path) {
            Ok(bytes) => Ok(whole(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        })
        .await
    }

    async fn save(&self, tenant: &TenantId, snapshot: Vec<u8>) -> Result<(), SnapshotError> {
        let path = self.path(tenant);
        apart(move || {
            // A dot never begins a tenant's name.
            let beside = path.with_file_name(format!(".{}", path.file_name().unwrap_or_default().to_string_lossy()));
            let mut bytes = crc32c::crc32c(&snapshot).to_le_bytes().to_vec();
            bytes.extend_from_slice(&snapshot);
            // Not synced: a crash of the machine may cost it, and then it is counted again.
            fs::write(&beside, bytes)?;
            fs::rename(beside, path)
        })
        .await
    }
}

/// The content, if it is what was written.
fn whole(mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    if bytes.len() < HEAD {
        return None;
    }
    let content = bytes.split_off(HEAD);
    (crc32c::crc32c(&content).to_le_bytes() == bytes[..]).then_some(content)
}

/// Where waiting for a disk holds up nobody.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T, SnapshotError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(|error| SnapshotError(error.to_string())),
        Err(_) => Err(SnapshotError("the process is ending".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn files_keep_snapshots_as_promised() {
        let place = tempfile::tempdir().unwrap();
        let open = || DiskSnapshots::open(&place.path().join("figures")).unwrap();
        actors::contracts::snapshots::suite(open(), |_| open()).await;
    }

    #[tokio::test]
    async fn a_torn_or_flipped_file_is_no_snapshot() {
        let place = tempfile::tempdir().unwrap();
        let kept = DiskSnapshots::open(place.path()).unwrap();
        let tenant = TenantId::new("acme").unwrap();
        kept.save(&tenant, vec![7; 100]).await.unwrap();
        let good = fs::read(place.path().join("acme")).unwrap();
        for length in [0, 3, 4, 103] {
            fs::write(place.path().join("acme"), &good[..length]).unwrap();
            assert_eq!(kept.load(&tenant).await, Ok(None), "{length} bytes of it");
        }
        let mut flipped = good.clone();
        flipped[50] ^= 1;
        fs::write(place.path().join("acme"), flipped).unwrap();
        assert_eq!(kept.load(&tenant).await, Ok(None));
    }
}
