//! Videos built by hand, without a picture in them, and what must not pass for one.

use proptest::{collection::vec, prelude::*, sample::Index};

use super::{
    duration::{Container, container},
    *,
};
use crate::files::FileStore;

const VIDEOS: [Extension; 5] =
    [Extension::Mp4, Extension::Mov, Extension::Avi, Extension::Mkv, Extension::Webm];

/// A box of MP4.
fn boxed(name: &[u8], content: &[u8]) -> Vec<u8> {
    let size = u32::try_from(content.len() + 8).unwrap();
    [&size.to_be_bytes(), name, content].concat()
}

/// A movie of 2.5 seconds.
fn moov() -> Vec<u8> {
    let mut mvhd = [0; 100];
    mvhd[14..16].copy_from_slice(&1_000_u16.to_be_bytes());
    mvhd[18..20].copy_from_slice(&2_500_u16.to_be_bytes());
    boxed(b"moov", &boxed(b"mvhd", &mvhd))
}

/// With its first brand, the version of that, and the brands it is compatible with.
fn movie(brands: &[u8]) -> Vec<u8> {
    [boxed(b"ftyp", brands), moov(), boxed(b"mdat", b"...")].concat()
}

/// An element of EBML.
fn element(name: &[u8], content: &[u8]) -> Vec<u8> {
    let size = u32::try_from(content.len()).unwrap() | 1 << 28;
    [name, &size.to_be_bytes(), content].concat()
}

/// 2.5 seconds.
fn matroska(doc_type: &[u8]) -> Vec<u8> {
    let version = element(b"\x42\x86", &[1]);
    let head = element(b"\x1A\x45\xDF\xA3", &[version, element(b"\x42\x82", doc_type)].concat());
    let info = element(b"\x15\x49\xA9\x66", &element(b"\x44\x89", &2_500_f64.to_be_bytes()));
    [head, element(b"\x18\x53\x80\x67", &info)].concat()
}

/// A chunk of RIFF.
fn chunk(name: &[u8], content: &[u8]) -> Vec<u8> {
    let size = u32::try_from(content.len()).unwrap();
    [name, &size.to_le_bytes(), content].concat()
}

/// 25 frames of 100 milliseconds.
fn avi() -> Vec<u8> {
    let mut avih = [0; 56];
    avih[0..4].copy_from_slice(&100_000_u32.to_le_bytes());
    avih[16..20].copy_from_slice(&25_u32.to_le_bytes());
    let headers = chunk(b"LIST", &[&b"hdrl"[..], &chunk(b"avih", &avih)].concat());
    chunk(b"RIFF", &[&b"AVI "[..], &headers, &chunk(b"LIST", b"movi")].concat())
}

fn samples() -> [(&'static str, Extension, Vec<u8>); 6] {
    [
        ("a.mp4", Extension::Mp4, movie(b"isom\0\0\x02\0isomiso2avc1mp41")),
        ("a.mov", Extension::Mov, movie(b"qt  \0\0\x02\0qt  ")),
        ("a.mov", Extension::Mov, [boxed(b"wide", b""), moov()].concat()),
        ("a.avi", Extension::Avi, avi()),
        ("a.mkv", Extension::Mkv, matroska(b"matroska")),
        ("a.webm", Extension::Webm, matroska(b"webm")),
    ]
}

fn upload(store: &FileStore, file_name: Option<&str>, bytes: &[u8]) -> Upload {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut staging = store.stage(u64::MAX).await.unwrap();
        staging.write(bytes).await.unwrap();
        staging.finish(file_name.map(ToOwned::to_owned)).await.unwrap()
    })
}

/// The types that a content passes for.
fn types(head: &[u8]) -> Vec<Extension> {
    let container = container(head);
    let mut types = Extension::ALL.to_vec();
    types.retain(|it| container.is_some_and(|container| types::is_video(*it, container, head)));
    types
}

#[test]
fn every_type_is_kept_as_it_came_and_tells_how_long_it_lasts() {
    let store = FileStore::in_memory().unwrap();
    for (name, extension, bytes) in samples() {
        for name in [name, &name.to_uppercase(), &format!("درس.html.{}", extension.as_str())] {
            let video = check_video(upload(&store, Some(name), &bytes)).expect(name);
            assert_eq!(video.duration, Some(Duration::from_millis(2_500)), "{name}");
            let checked = CheckedFile::from(video);
            assert_eq!(checked.extension, extension, "{name}");
            let mut kept = Vec::new();
            checked.file.reopen().unwrap().read_to_end(&mut kept).unwrap();
            assert_eq!(kept, bytes, "{name}");
        }
        assert_eq!(types(&bytes), [extension]);
    }
}

#[test]
fn a_video_need_not_tell_how_long_it_lasts() {
    let store = FileStore::in_memory().unwrap();
    let mute = boxed(b"ftyp", b"isom\0\0\x02\0isom");
    let video = check_video(upload(&store, Some("a.mp4"), &mute)).unwrap();
    assert_eq!(video.duration, None);
}

#[test]
fn the_name_has_to_agree_with_the_content() {
    let store = FileStore::in_memory().unwrap();
    for (_, extension, bytes) in samples() {
        let others = ["mp4", "mov", "avi", "mkv", "webm", "m4v", "html", "png", "pdf", ""];
        for other in others.into_iter().filter(|other| *other != extension.as_str()) {
            let error = check_video(upload(&store, Some(&format!("a.{other}")), &bytes));
            assert_eq!(error.expect_err(other).to_string(), "Unsupported extensions");
        }
        // What has no name at all is what it shows.
        let nameless = check_video(upload(&store, None, &bytes)).unwrap();
        assert_eq!(CheckedFile::from(nameless).extension, extension);
        for name in [Some(""), Some(extension.as_str())] {
            let error = check_video(upload(&store, name, &bytes)).unwrap_err();
            assert!(matches!(error, VideoError::WrongType), "{name:?}");
        }
    }
}

#[test]
fn other_files_are_refused_under_every_name() {
    let store = FileStore::in_memory().unwrap();
    for content in [
        &b"<!DOCTYPE html><html><script>alert(1)</script></html>"[..],
        b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xFF\xFF\0\0",
        b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0",
        b"RIFF\x24\0\0\0WEBPVP8 ",
        b"%PDF-1.4\n%%EOF",
        b"PK\x03\x04",
        b"ftyp",
        b"x",
        &movie(b"heic\0\0\0\0mif1heic"),
        &movie(b"avif\0\0\0\0avifmif1"),
        &matroska(b"html"),
        &matroska(b""),
        &[&b"\n"[..], &avi()].concat(),
        &[b"<script>", &samples()[0].2[..]].concat(),
    ] {
        assert_eq!(types(content), []);
        for extension in VIDEOS {
            let name = format!("a.{}", extension.as_str());
            let error = check_video(upload(&store, Some(&name), content)).unwrap_err();
            assert!(matches!(error, VideoError::WrongType), "{name}");
        }
    }
}

#[test]
fn brands_tell_mp4_from_mov() {
    for (brands, expected) in [
        (&b"mp42\0\0\0\0"[..], &[Extension::Mp4][..]),
        (b"M4V \0\0\0\x01M4V mp42isom", &[Extension::Mp4]),
        (b"3gp4\0\0\x02\x003gp4isom", &[Extension::Mp4]),
        (b"qt  \x20\x05\x03\0qt  \0\0\0\0\0\0\0\0", &[Extension::Mov]),
        // Some cameras write what can be read as either.
        (b"mp42\0\0\0\0mp42qt  ", &[Extension::Mp4, Extension::Mov]),
        (b"qt  \0\0\0\0mp42", &[Extension::Mov]),
        (b"html\0\0\0\0", &[]),
        (b"mp42", &[]),
        (b"", &[]),
    ] {
        assert_eq!(types(&movie(brands)), expected, "{}", brands.escape_ascii());
    }
    let (movie, data) = (moov(), boxed(b"mdat", b"..."));
    let (wide, free) = (boxed(b"wide", b""), boxed(b"free", &[0; 100]));
    for old in [
        movie.clone(),
        data.clone(),
        [&wide[..], &data].concat(),
        [&free[..], &wide, &movie].concat(),
    ] {
        assert_eq!(types(&old), [Extension::Mov]);
    }
    // A free place does not hide the brands behind it.
    let brands = boxed(b"ftyp", b"mp42\0\0\0\0");
    assert_eq!(types(&[&free[..], &brands].concat()), [Extension::Mp4]);
    // One of a size that cannot be hides everything.
    for size in [0, 1, 7_u32] {
        let strange = [&size.to_be_bytes()[..], b"free", &brands, &movie].concat();
        assert!(!types::is_video(Extension::Mov, Container::Mp4, &strange), "{size}");
    }
}

#[test]
fn a_doc_type_may_end_in_zeros_and_stand_anywhere_in_its_header() {
    assert_eq!(types(&matroska(b"webm\0\0\0")), [Extension::Webm]);
    assert_eq!(types(&matroska(b"matroska\0")), [Extension::Mkv]);
    let void = element(b"\xEC", &[0; 300]);
    let doc_type = element(b"\x42\x82", b"webm");
    let head = |parts: &[&[u8]]| element(b"\x1A\x45\xDF\xA3", &parts.concat());
    assert_eq!(types(&head(&[&void, &doc_type])), [Extension::Webm]);
    assert_eq!(types(&[head(&[&void]), doc_type].concat()), []);
}

#[test]
fn sizes_are_judged_first() {
    let store = FileStore::in_memory().unwrap();
    let error = check_video(upload(&store, Some("a.html"), b"")).unwrap_err();
    assert_eq!(error.to_string(), "The submitted file is empty.");
    let mut large = upload(&store, Some("a.html"), b"x");
    large.size = video_limit() + 1;
    let error = check_video(large).unwrap_err();
    assert_eq!(error.to_string(), "Video file size cannot exceed 1 GB.");
    let mut largest = upload(&store, Some("a.avi"), &avi());
    largest.size = video_limit();
    assert!(check_video(largest).is_ok());
}

proptest! {
    #[test]
    fn whatever_a_video_begins_with_it_has_one_type_at_most(
        sample in 0..6_usize,
        mutations in vec((any::<Index>(), any::<u8>()), 0..12),
        head in 0..96_usize,
        random in vec(any::<u8>(), 0..4096),
    ) {
        let (_, _, mut bytes) = samples()[sample].clone();
        bytes.truncate(head);
        if !bytes.is_empty() {
            for (at, new) in mutations {
                let at = at.index(bytes.len());
                bytes[at] = new;
            }
        }
        bytes.extend(random);
        bytes.truncate(4096);
        let types = types(&bytes);
        let brands = [Extension::Mp4, Extension::Mov];
        prop_assert!(types.len() <= 1 || types == brands, "{types:?}");
    }
}
