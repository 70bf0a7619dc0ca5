//! What the reader refuses, and that its limits hold at the exact number.

use super::*;

members! {
    enum Letter {
        A = "a",
        B = "bee",
    }
}

struct Letters<'r>(&'r mut Reader);

impl<'de> DeserializeSeed<'de> for Letters<'_> {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Letters<'_> {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<usize, A::Error> {
        self.0.enter()?;
        let mut seen = Seen::nothing();
        let mut length = 0;
        while let Some(name) = seen.next(self.0, &mut members)? {
            match name {
                Some(Letter::A | Letter::B) => length += members.next_value_seed(Text)?.len(),
                None => members.next_value_seed(Any(self.0))?,
            }
        }
        self.0.leave();
        Ok(length)
    }
}

fn verdict(text: &str) -> Result<usize, ErrorKind> {
    let read = Reader::of_token(12, 4).read(text, |reader, json| Letters(reader).deserialize(json));
    read.map_err(|error| error.kind())
}

#[test]
fn every_member_comes_once_in_any_spelling() {
    assert_eq!(verdict(r#"{"a":"x","bee":"yz","c":{"a":[1,-2,0.5,null,true]}}"#), Ok(3));
    for twice in [
        r#"{"a":"x","a":"x"}"#,
        r#"{"a":"x","\u0061":"x"}"#,
        r#"{"a":"x","A":"x"}"#,
        r#"{"BEE":1}"#,
        r#"{"c":1,"c":1}"#,
        r#"{"c":1,"\u0063":1}"#,
        r#"{"c":{"d":1,"d":1}}"#,
        r#"{"c":[{"d":1,"\u0064":1}]}"#,
    ] {
        assert_eq!(verdict(twice), Err(ErrorKind::Duplicate), "{twice}");
    }
    let many = (0..10).map(|i| format!(r#""n{i}":1,"#)).collect::<String>();
    assert_eq!(verdict(&format!(r#"{{{many}"z":1}}"#)), Ok(0));
    for twice in ["n0", "n7", "n8", "n9"] {
        assert_eq!(verdict(&format!(r#"{{{many}"{twice}":1}}"#)), Err(ErrorKind::Duplicate));
    }
}

#[test]
fn limits_hold_at_the_exact_number() {
    assert_eq!(verdict(r#"{"c":[[[1]]]}"#), Ok(0));
    assert_eq!(verdict(r#"{"c":[[[[]]]]}"#), Err(ErrorKind::TooLarge));
    assert_eq!(verdict(r#"{"c":[1,2,3,4,5,6,7,8,9,10,11]}"#), Ok(0));
    assert_eq!(verdict(r#"{"c":[1,2,3,4,5,6,7,8,9,10,11,12]}"#), Err(ErrorKind::TooLarge));
    // Depth is given back: siblings do not add up.
    assert_eq!(verdict(r#"{"c":[[[1]]],"d":[[[1]]],"e":[[[1]]]}"#), Ok(0));
}

#[test]
fn a_wrong_type_and_no_json_are_told_apart() {
    assert_eq!(verdict(r#"{"a":1}"#), Err(ErrorKind::ClaimType));
    for bad in [
        "",
        "[]",
        "1",
        "null",
        "{",
        "{}x",
        "{} {}",
        "\u{feff}{}",
        r#"{"a":"\ud800"}"#,
        r#"{"c":1e400}"#,
        "{a:1}",
    ] {
        assert_eq!(verdict(bad), Err(ErrorKind::Malformed), "{bad}");
    }
}
