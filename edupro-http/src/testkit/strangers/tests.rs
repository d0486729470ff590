//! The same promises with bytes that proptest makes up.

use edupro_core::conformance::strangers;
use proptest::prelude::*;

use super::*;

#[test]
fn genuine_links_open() {
    for genuine in links() {
        assert!(link(genuine.as_bytes()), "{genuine}");
    }
}

/// Texts that are put together from these, and from others.
fn pieces(known: Vec<String>) -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        6 => proptest::sample::select(known).prop_map(String::into_bytes),
        1 => proptest::collection::vec(any::<u8>(), 0..8),
        1 => "\\PC{0,8}".prop_map(String::into_bytes),
    ];
    proptest::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

fn words(known: &str) -> Vec<String> {
    known.split(' ').map(ToOwned::to_owned).collect()
}

fn headers() -> impl Strategy<Value = Vec<u8>> {
    let known =
        words("access_token= refresh_token= ; = \n \" % %3D , Bearer bearer\t sessionid=1 __Host-");
    pieces([known, strangers::tokens().to_vec(), words("\u{20}")].concat())
}

fn queries() -> impl Strategy<Value = Vec<u8>> {
    let known = "page= page_size= search= ordering= is_active= student_id= & & & = + , - % %00 %20 %2C %26 %FF \
                 1 2 0 100 last true FALSE price -price created_at 99999999999999999999 \
                 00000000-0000-7000-8000-000000000000";
    pieces(words(known))
}

fn addresses() -> impl Strategy<Value = Vec<u8>> {
    let genuine: Vec<String> = links()
        .iter()
        .flat_map(|link| {
            link.split_inclusive(['/', '?', '&', '=']).map(ToOwned::to_owned).collect::<Vec<_>>()
        })
        .collect();
    pieces([genuine, links(), words("/media/ exp= sig= & ? # %2F .. 1767427500")].concat())
}

fn forms() -> impl Strategy<Value = Vec<u8>> {
    let known = [
        "x\n",
        "--x",
        "--x--",
        "\r\n",
        "\r\n",
        "\r\n\r\n",
        "\n",
        "\"",
        ";",
        "Content-Disposition: form-data; name=\"title\"\r\n\r\n",
        "Content-Disposition: form-data; name=\"notes\"\r\n\r\n",
        "Content-Disposition: form-data; name=\"document\"; filename=\"a.pdf\"\r\n\r\n",
        "Content-Disposition: form-data; name=\"document\"; filename=\"\"\r\n\r\n",
        "Content-Disposition: form-data; name=\"other\"; filename=\"b\"\r\n\r\n",
        "Content-Disposition: form-data; name=points\r\nContent-Type: text/plain\r\n\r\n",
        "%PDF-1.7\n%%EOF",
        "5",
        "a title",
    ];
    pieces(known.map(ToOwned::to_owned).to_vec())
        .prop_map(|form| [b"x\n--x\r\n", form.as_slice()].concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn nobody_is_taken_for_another(headers in headers()) {
        cookies(&headers);
    }

    #[test]
    fn a_list_is_asked_within_its_limits(text in queries()) {
        query(&text);
    }

    #[test]
    fn only_what_was_signed_opens(address in addresses()) {
        link(&address);
    }

    #[test]
    fn no_letter_of_a_link_can_be_another(place: u16, letter: u8) {
        altered_link(place.into(), letter);
    }

    #[test]
    fn a_form_is_the_same_in_any_pieces(bytes in forms()) {
        form(&bytes);
    }

    #[test]
    fn documents_arrive_as_they_are(content: Vec<u8>, size in 1_usize..200) {
        sent_document(&content, size);
    }
}
