//! A worksheet of one page, as a PDF file (ISO 32000-1).
//!
//! A PDF file is a list of numbered objects, and behind them a table of where each begins.

/// The margin and where the first line stands, in points from the lower left corner of an A4 page.
const LEFT: u16 = 72;
const TOP: u16 = 740;

/// A page with a title and a few lines. Both are ASCII, which is what the fonts of every reader
/// have in common.
pub(super) fn paper(title: &str, lines: &[&str]) -> Vec<u8> {
    let text = text(title, lines);
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 6 0 R \
         /Resources << /Font << /Title 4 0 R /Text 5 0 R >> >> >>"
            .to_owned(),
        font("Helvetica-Bold"),
        font("Helvetica"),
        format!("<< /Length {} >>\nstream\n{text}\nendstream", text.len()),
        format!("<< /Title ({}) >>", literal(title)),
    ];
    file(&objects)
}

fn font(name: &str) -> String {
    format!("<< /Type /Font /Subtype /Type1 /BaseFont /{name} /Encoding /WinAnsiEncoding >>")
}

/// What draws the page: the title, and each line below the one before.
fn text(title: &str, lines: &[&str]) -> String {
    let lines: Vec<_> = lines.iter().map(|line| format!("({}) ' ", literal(line))).collect();
    let (title, lines) = (literal(title), lines.concat());
    format!("BT /Title 22 Tf {LEFT} {TOP} Td ({title}) Tj /Text 12 Tf 24 TL () ' {lines}ET")
}

/// A text as it stands between brackets.
fn literal(text: &str) -> String {
    let mut literal = String::new();
    for character in text.chars() {
        if matches!(character, '(' | ')' | '\\') {
            literal.push('\\');
        }
        literal.push(character);
    }
    literal
}

/// The file of these objects; the first is the catalogue, the last what the file says of itself.
fn file(objects: &[String]) -> Vec<u8> {
    // Bytes above 127 tell whoever copies the file that it is no text.
    let mut file = b"%PDF-1.4\n%\xE2\xE3\xCF\xD3\n".to_vec();
    // Each line of the table has twenty bytes; object 0 is there for none.
    let mut table = vec!["0000000000 65535 f \n".to_owned()];
    for (number, object) in (1..).zip(objects) {
        table.push(format!("{:010} 00000 n \n", file.len()));
        file.extend(format!("{number} 0 obj\n{object}\nendobj\n").bytes());
    }
    let (last, count, start) = (objects.len(), table.len(), file.len());
    let table = table.concat();
    let end = format!(
        "xref\n0 {count}\n{table}trailer\n<< /Size {count} /Root 1 0 R /Info {last} 0 R >>\n\
         startxref\n{start}\n%%EOF\n"
    );
    file.extend(end.bytes());
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_finds_each_object() {
        let file = paper("Forces (1)", &["A line.", "Another \\ line."]);
        let file = String::from_utf8_lossy(&file).replace('\u{FFFD}', "?");
        assert!(file.starts_with("%PDF-1.4\n%????\n"), "{file}");
        let (_, end) = file.rsplit_once("startxref\n").unwrap();
        let start: usize = end.strip_suffix("\n%%EOF\n").unwrap().parse().unwrap();
        let table = file[start..].strip_prefix("xref\n0 8\n").unwrap();
        let (table, _) = table.split_once("trailer").unwrap();
        assert_eq!(table.len(), 8 * 20);
        for (number, entry) in table.lines().enumerate().skip(1) {
            let place: usize = entry[..10].parse().unwrap();
            assert!(file[place..].starts_with(&format!("{number} 0 obj\n")), "{entry}");
        }
    }

    #[test]
    fn its_text_is_whole() {
        let file = paper("Forces (1)", &["A line.", "Another \\ line."]);
        let file = String::from_utf8_lossy(&file);
        let (_, stream) = file.split_once("/Length ").unwrap();
        let (length, stream) = stream.split_once(" >>\nstream\n").unwrap();
        let (stream, _) = stream.split_once("\nendstream").unwrap();
        assert_eq!(stream.len(), length.parse::<usize>().unwrap());
        assert!(stream.contains("(Forces \\(1\\)) Tj"), "{stream}");
        assert!(stream.contains("(A line.) ' (Another \\\\ line.) ' ET"), "{stream}");
    }
}
