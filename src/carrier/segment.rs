//! How many parts a text needs on the air (3GPP TS 23.038), and how to need fewer.
//!
//! One character outside the GSM alphabet halves what fits into the whole text, and every further part is another
//! chance to be late or lost: so a page is made [`plain`] and [`fit`] before it is sent.

/// How a text travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// 7 bits a character: 160 in one part, 153 in each of several.
    Gsm7,
    /// 16 bits: 70 in one part, 67 in each of several.
    Ucs2,
}

/// GSM 03.38, the basic alphabet, without the escape.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
                     ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

/// Each of these is sent as an escape and a character, and the two may not be parted.
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

/// Septets, or `None` outside the alphabet.
fn septets(c: char) -> Option<usize> {
    if c.is_ascii_alphanumeric() || c == ' ' || BASIC.contains(c) {
        Some(1)
    } else if EXTENSION.contains(c) {
        Some(2)
    } else {
        None
    }
}

/// Characters laid into parts, none of them cut.
struct Parts {
    single: usize,
    each: usize,
    total: usize,
    parts: usize,
    used: usize,
}

impl Parts {
    fn new(single: usize, each: usize) -> Self {
        Parts { single, each, total: 0, parts: 1, used: 0 }
    }

    fn add(&mut self, units: usize) {
        self.total += units;
        if self.used + units > self.each {
            self.parts += 1;
            self.used = 0;
        }
        self.used += units;
    }

    fn count(&self) -> usize {
        if self.total <= self.single { 1 } else { self.parts }
    }
}

/// Counts as it goes: the answer holds for every beginning of the text.
struct Counter {
    gsm: Option<Parts>,
    ucs: Parts,
}

impl Counter {
    fn new() -> Self {
        Counter { gsm: Some(Parts::new(160, 153)), ucs: Parts::new(70, 67) }
    }

    fn add(&mut self, c: char) {
        self.ucs.add(c.len_utf16());
        match (septets(c), &mut self.gsm) {
            (Some(units), Some(parts)) => parts.add(units),
            _ => self.gsm = None,
        }
    }

    fn answer(&self) -> (Encoding, usize) {
        match &self.gsm {
            Some(parts) => (Encoding::Gsm7, parts.count()),
            None => (Encoding::Ucs2, self.ucs.count()),
        }
    }
}

/// How the text travels, and in how many parts. An empty text is one part.
pub fn segments(text: &str) -> (Encoding, usize) {
    let mut counter = Counter::new();
    text.chars().for_each(|c| counter.add(c));
    counter.answer()
}

/// The same text with typographer's quotes, dashes, spaces and the like as a typewriter has them. Letters stay as
/// they are: a name is not respelled.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '‘' | '’' | '‚' | '‛' | '′' | '‵' | '`' | '´' | 'ʼ' | 'ʹ' | '‹' | '›' => out.push('\''),
            '“' | '”' | '„' | '‟' | '″' | '«' | '»' | '〝' | '〞' | '＂' => out.push('"'),
            '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' | '﹘' | '－' | '•' | '·' => out.push('-'),
            '…' => out.push_str("..."),
            '→' => out.push_str("->"),
            '←' => out.push_str("<-"),
            '×' => out.push('x'),
            '⁄' => out.push('/'),
            '\t' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => {
                out.push(' ');
            }
            '\u{2028}' | '\u{2029}' | '\u{85}' => out.push('\n'),
            '\u{ad}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{feff}' => {}
            c if c.is_control() && !matches!(c, '\n' | '\r') => {}
            c => out.push(c),
        }
    }
    out
}

/// The longest beginning of the text that needs no more than `max_segments` parts (at least one), without white
/// space at the end if something was cut.
pub fn fit(text: &str, max_segments: usize) -> String {
    let mut counter = Counter::new();
    for (at, c) in text.char_indices() {
        counter.add(c);
        // The count never falls again, so the first character too many ends it.
        if counter.answer().1 > max_segments.max(1) {
            return text[..at].trim_end().into();
        }
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Text; encoding and parts as they are, and after [`plain`].
    fn cases() -> Vec<(&'static str, String, &'static str, &'static str)> {
        let a = |n: usize| "a".repeat(n);
        let zhe = |n: usize| "ж".repeat(n);
        vec![
            ("160 GSM", a(160), "GSM-7/1", "GSM-7/1"),
            ("161 GSM", a(161), "GSM-7/2", "GSM-7/2"),
            ("306 GSM", a(306), "GSM-7/2", "GSM-7/2"),
            ("307 GSM", a(307), "GSM-7/3", "GSM-7/3"),
            ("80 euro", "€".repeat(80), "GSM-7/1", "GSM-7/1"),
            ("81 euro", "€".repeat(81), "GSM-7/2", "GSM-7/2"),
            ("escape at the edge", a(152) + "€" + &a(10), "GSM-7/2", "GSM-7/2"),
            ("70 UCS2", zhe(70), "UCS-2/1", "UCS-2/1"),
            ("71 UCS2", zhe(71), "UCS-2/2", "UCS-2/2"),
            ("134 UCS2", zhe(134), "UCS-2/2", "UCS-2/2"),
            ("135 UCS2", zhe(135), "UCS-2/3", "UCS-2/3"),
            ("35 emoji", "😀".repeat(35), "UCS-2/1", "UCS-2/1"),
            ("36 emoji", "😀".repeat(36), "UCS-2/2", "UCS-2/2"),
            ("66 and an emoji", zhe(66) + "😀" + &zhe(10), "UCS-2/2", "UCS-2/2"),
            ("smart quote", "It’s down".into(), "UCS-2/1", "GSM-7/1"),
            ("backtick", "a `b` cd".into(), "UCS-2/1", "GSM-7/1"),
            ("brackets", "[{|}]~^\\".into(), "GSM-7/1", "GSM-7/1"),
            ("line ends", "a\nb\r\nc".into(), "GSM-7/1", "GSM-7/1"),
            ("é", "é".into(), "GSM-7/1", "GSM-7/1"),
            ("ê", "ê".into(), "UCS-2/1", "UCS-2/1"),
            ("ç", "ç".into(), "UCS-2/1", "UCS-2/1"),
            ("Ç", "Ç".into(), "GSM-7/1", "GSM-7/1"),
            ("306 septets, escape at the edge", a(152) + "€" + &a(152), "GSM-7/3", "GSM-7/3"),
            ("134 units, pair at the edge", zhe(66) + "😀" + &zhe(66), "UCS-2/3", "UCS-2/3"),
            ("empty", String::new(), "GSM-7/1", "GSM-7/1"),
        ]
    }

    fn spelled(text: &str) -> String {
        let (encoding, parts) = segments(text);
        format!("{}/{parts}", if encoding == Encoding::Gsm7 { "GSM-7" } else { "UCS-2" })
    }

    #[test]
    fn parts_are_counted_as_the_carriers_calculator_counts_them() {
        for (name, text, as_is, made_plain) in cases() {
            assert_eq!(spelled(&text), as_is, "{name}");
            assert_eq!(spelled(&plain(&text)), made_plain, "{name}, made plain");
        }
    }

    #[test]
    fn the_alphabet_has_127_characters_and_ten_more() {
        assert_eq!((BASIC.chars().count(), EXTENSION.chars().count()), (127, 10));
        for c in "é è à ù ì ò Ç @ £ $ ¥ _ §".chars() {
            assert_eq!(septets(c), Some(1), "{c}");
        }
        for c in "`’“”–çê\t😀".chars() {
            assert_eq!(septets(c), None, "{c}");
        }
    }

    #[test]
    fn a_plain_text_has_the_marks_of_a_typewriter() {
        assert_eq!(plain("“It’s\u{a0}down” – wait… `now`\u{200b}\u{7}"), "\"It's down\" - wait... 'now'");
    }

    #[test]
    fn what_fits_is_left_alone_and_what_does_not_is_cut_between_characters() {
        assert_eq!(fit("4821 is down", 1), "4821 is down");
        assert_eq!(fit(&"a".repeat(200), 1).len(), 160);
        assert_eq!(fit(&"€".repeat(200), 1).chars().count(), 80);
        assert_eq!(fit(&"😀".repeat(50), 1).chars().count(), 35);
        // The character that would make it twice as long is what is cut.
        assert_eq!(fit(&("a".repeat(100) + " ж"), 1), "a".repeat(100));
        assert_eq!(fit("abc", 0), "abc");
    }

    proptest! {
        #[test]
        fn a_cut_text_fits_and_begins_as_the_whole_did(text in "[a-zж€😀\\[ ]{0,400}", most in 1usize..4) {
            let cut = fit(&text, most);
            prop_assert!(segments(&cut).1 <= most);
            prop_assert!(text.starts_with(&cut));
        }
    }
}
