//! Pictures that contacts send and voice mails that they leave, for whoever fetches them. Bounded in bytes.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;

/// Largest picture (Twilio takes 5 MB of a contact).
pub(super) const PICTURE_MAX: usize = 5 * 1024 * 1024;
/// Pictures kept, in bytes; the oldest leave first.
const PICTURES_MAX: usize = 64 * 1024 * 1024;
/// Voice mails kept.
const RECORDINGS_MAX: usize = 10_000;
/// Samples a second of a voice mail: a telephone's.
const RATE: u32 = 8_000;
/// Longest sound that is made: a longer voice mail's file ends here.
const SOUND_MAX_S: u32 = 300;

/// A picture.
#[derive(Debug, Clone)]
pub(super) struct Picture {
    pub(super) content_type: &'static str,
    pub(super) bytes: Bytes,
}

/// What is kept.
#[derive(Debug, Default)]
pub(super) struct Files(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    pictures: VecDeque<(String, Picture)>,
    recordings: VecDeque<(String, u32)>,
    size: usize,
}

/// What a file's first bytes say it is; only pictures that every telephone shows.
fn content_type(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        _ => None,
    }
}

impl Files {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a picture under a new id; `None`: it is none, or too large.
    pub(super) fn keep(&self, bytes: Bytes) -> Option<String> {
        let content_type = content_type(&bytes).filter(|_| bytes.len() <= PICTURE_MAX)?;
        let id = format!("ME{}", uuid::Uuid::new_v4().simple());
        let mut inner = self.lock();
        inner.size += bytes.len();
        inner.pictures.push_back((id.clone(), Picture { content_type, bytes }));
        while inner.size > PICTURES_MAX {
            let Some((_, oldest)) = inner.pictures.pop_front() else { break };
            inner.size -= oldest.bytes.len();
        }
        Some(id)
    }

    pub(super) fn picture(&self, id: &str) -> Option<Picture> {
        self.lock().pictures.iter().rev().find(|(kept, _)| kept == id).map(|(_, picture)| picture.clone())
    }

    pub(super) fn record(&self, sid: &str, seconds: u32) {
        let mut inner = self.lock();
        if inner.recordings.len() >= RECORDINGS_MAX {
            inner.recordings.pop_front();
        }
        inner.recordings.push_back((sid.to_owned(), seconds));
    }

    /// A voice mail as a WAV file.
    pub(super) fn sound(&self, sid: &str) -> Option<Bytes> {
        let seconds = self.lock().recordings.iter().rev().find(|(kept, _)| kept == sid).map(|(_, seconds)| *seconds)?;
        Some(wav(seconds.min(SOUND_MAX_S)))
    }
}

/// So many seconds of a soft tone that comes and goes, 8 bits a sample.
fn wav(seconds: u32) -> Bytes {
    let length = seconds * RATE;
    let mut file = Vec::with_capacity(44 + length as usize);
    file.extend(b"RIFF");
    file.extend((36 + length).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    file.extend(1_u16.to_le_bytes());
    file.extend(1_u16.to_le_bytes());
    file.extend(RATE.to_le_bytes());
    file.extend(RATE.to_le_bytes());
    file.extend(1_u16.to_le_bytes());
    file.extend(8_u16.to_le_bytes());
    file.extend(b"data");
    file.extend(length.to_le_bytes());
    // 200 Hz in every other half second: something to hear, of no voice.
    file.extend((0..length).map(|at| {
        let loud = (at / (RATE / 2)).is_multiple_of(2);
        let up = (at / (RATE / 400)).is_multiple_of(2);
        if !loud {
            128
        } else if up {
            148
        } else {
            108
        }
    }));
    Bytes::from(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pictures_are_kept_and_the_oldest_leave_first() {
        let files = Files::default();
        assert_eq!(files.keep(Bytes::from_static(b"<svg onload=alert(1)>")), None);
        assert_eq!(files.keep(Bytes::from(vec![0xff; PICTURE_MAX + 1])), None);
        let mut jpeg = vec![0_u8; PICTURE_MAX];
        jpeg[..3].copy_from_slice(&[0xff, 0xd8, 0xff]);
        let first = files.keep(Bytes::from(jpeg.clone())).expect("a picture");
        assert_eq!(files.picture(&first).expect("kept").content_type, "image/jpeg");
        for _ in 0..PICTURES_MAX / PICTURE_MAX {
            files.keep(Bytes::from(jpeg.clone())).expect("a picture");
        }
        assert!(files.picture(&first).is_none(), "the oldest left");
        assert!(files.lock().size <= PICTURES_MAX);
    }

    #[test]
    fn a_voice_mail_is_a_wav_file_of_its_length() {
        let files = Files::default();
        files.record("RE1", 3);
        let sound = files.sound("RE1").expect("kept");
        assert_eq!((&sound[..4], &sound[8..16], sound.len()), (&b"RIFF"[..], &b"WAVEfmt "[..], 44 + 3 * 8_000));
        assert!(files.sound("RE2").is_none());
    }
}
