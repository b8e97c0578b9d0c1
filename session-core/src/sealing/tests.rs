use std::array;

use proptest::prelude::*;

use super::{Birth, Flaw, SessionKey, derive::KeyBytes, is_sealed, unwrap, wrap};
use crate::{Seal, SessionToken, Value};

// The known answers were computed with Python's `cryptography`, from
//
//     token, key = bytes(range(32)), bytes(range(0x40, 0x60))
//     hkdf = lambda info: HKDF(SHA256(), 32, None, info).derive(token)
//     seal = lambda header, key: header + aes_key_wrap(hkdf(b"session-core seal" + header), key)
//     value = lambda key: "~1" + urlsafe_b64encode(nonce + AESGCM(key).encrypt(
//         nonce, b'{"milk":2}', b"session-core value 1 " + "cart ü".encode())).decode().rstrip("=")
//
// with the nonce bytes(range(0xa0, 0xac)), and hkdf(b"session-core session key 1") as the key of the token.
const SEALED_AT_BIRTH: &str = "0101dbca08415c02bde246800a8691dbf8dc58a96009f8354e10f08b0acc99cbfd99da488823711f90f1";
const SEALED_SINCE: &str = "01025ee9f19527b115321d9a9bd819eefb48d717b664399f50712f68f6476aafc70369afc1119ce5ad96";
const TOKENS_OWN: &str = "01028370cd4d8de797a5d75b81190d64fd242ac99262569dfe597f3436514d4ec870f5033be992ff7a76";
const NAME: &str = "cart ü";
const VALUE: &str = "~1oKGio6SlpqeoqaqrrK1rVo6AvhdLEgXQ_SQ8j6dN98JJYRAKv_4";
const VALUE_UNDER_TOKENS_OWN: &str = "~1oKGio6SlpqeoqaqrOPLHmOC-eho96r9FU0tCqWTC5IZed2ZbTTs";

fn token() -> SessionToken {
    SessionToken::from_bytes(array::from_fn(|i| i as u8))
}

fn key() -> SessionKey {
    SessionKey::new(KeyBytes::new(array::from_fn(|i| 0x40 + i as u8))).unwrap()
}

fn hex(seal: &Seal) -> String {
    seal.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn of_hex(digits: &str) -> Seal {
    let bytes = (0..digits.len()).step_by(2);
    let bytes = bytes.map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap());
    Seal::from_bytes(bytes.collect::<Vec<_>>())
}

fn value(text: &str) -> Value {
    Value::from_json(text.to_owned())
}

#[test]
fn the_seal_is_pinned() {
    for (birth, seal) in [(Birth::Sealed, SEALED_AT_BIRTH), (Birth::Unsealed, SEALED_SINCE)] {
        assert_eq!(hex(&wrap(&key(), birth, &token()).unwrap()), seal);
        let (unwrapped, told) = unwrap(&of_hex(seal), &token()).unwrap();
        assert_eq!((unwrapped.as_bytes(), told), (key().as_bytes(), birth));
    }
}

#[test]
fn the_key_that_a_token_makes_is_pinned() {
    let key = SessionKey::of_token(&token()).unwrap();
    assert_eq!(hex(&wrap(&key, Birth::Unsealed, &token()).unwrap()), TOKENS_OWN);
    let opened = key.open(NAME, &value(VALUE_UNDER_TOKENS_OWN)).unwrap();
    assert_eq!(opened, value(r#"{"milk":2}"#));
}

#[test]
fn the_sealed_value_is_pinned() {
    assert_eq!(key().open(NAME, &value(VALUE)).unwrap(), value(r#"{"milk":2}"#));
}

#[test]
fn what_two_seal_at_once_has_one_seal_and_no_nonce_twice() {
    let [one, two] = [(); 2].map(|()| SessionKey::of_token(&token()).unwrap());
    let [first, second] = [&one, &two].map(|key| wrap(key, Birth::Unsealed, &token()).unwrap());
    assert_eq!(first, second);
    let [first, second] = [&one, &two].map(|key| key.seal(NAME, &value("1")).unwrap());
    assert_ne!(first, second);
    assert_eq!(two.open(NAME, &first).unwrap(), one.open(NAME, &second).unwrap());
}

#[test]
fn random_keys_differ() {
    let [one, two] = [(); 2].map(|()| SessionKey::random().unwrap());
    assert_ne!(one.as_bytes(), two.as_bytes());
    let sealed = one.seal(NAME, &value("1")).unwrap();
    assert_eq!(two.open(NAME, &sealed), Err(Flaw::Value));
}

#[test]
fn debug_shows_no_key() {
    assert_eq!(format!("{:?}", key()), "SessionKey(..)");
    assert_eq!(format!("{:?}", of_hex(SEALED_SINCE)), "Seal(42 bytes)");
}

proptest! {
    #[test]
    fn what_is_sealed_can_be_opened(name in ".{1,40}", text in prop::collection::vec(any::<u8>(), 0..200)) {
        let plain = Value::from_json(text);
        let sealed = key().seal(&name, &plain).unwrap();
        prop_assert!(is_sealed(&sealed));
        // What Postgres can keep.
        prop_assert!(sealed.as_bytes().is_ascii() && !sealed.as_bytes().contains(&0));
        prop_assert_eq!(key().open(&name, &sealed), Ok(plain));
    }

    #[test]
    fn a_value_opens_under_no_other_name(name in ".{0,40}", other in ".{0,40}") {
        prop_assume!(name != other);
        let sealed = key().seal(&name, &value("1")).unwrap();
        prop_assert_eq!(key().open(&other, &sealed), Err(Flaw::Value));
    }

    #[test]
    fn a_seal_opens_with_no_other_token(bytes: [u8; SessionToken::LEN]) {
        prop_assume!(&bytes != token().as_bytes());
        let flaw = unwrap(&of_hex(SEALED_AT_BIRTH), &SessionToken::from_bytes(bytes)).unwrap_err();
        prop_assert_eq!(flaw, Flaw::Seal);
    }

    #[test]
    fn no_text_is_taken_for_a_sealed_value(text: Vec<u8>, tail in "[A-Za-z0-9_-]{0,80}") {
        let text = Value::from_json(text);
        prop_assert_eq!(key().open(NAME, &text), Err(Flaw::Value));
        prop_assert_eq!(key().open(NAME, &value(&format!("~1{tail}"))), Err(Flaw::Value));
    }

    #[test]
    fn no_bytes_are_taken_for_a_seal(bytes: Vec<u8>, wrapped: [u8; 40], birth: u8) {
        prop_assert!(unwrap(&Seal::from_bytes(bytes), &token()).is_err());
        let right_in_shape = [&[1, birth], wrapped.as_slice()].concat();
        prop_assert!(unwrap(&Seal::from_bytes(right_in_shape), &token()).is_err());
    }
}

#[test]
fn a_change_of_any_bit_is_found() {
    for at in 0..VALUE.len() * 8 {
        let mut text = VALUE.as_bytes().to_vec();
        text[at / 8] ^= 1 << (at % 8);
        assert_eq!(key().open(NAME, &Value::from_json(text)), Err(Flaw::Value), "bit {at}");
    }
    let seal = of_hex(SEALED_SINCE);
    for at in 0..seal.as_bytes().len() * 8 {
        let mut bytes = seal.as_bytes().to_vec();
        bytes[at / 8] ^= 1 << (at % 8);
        let flaw = unwrap(&Seal::from_bytes(bytes), &token()).unwrap_err();
        assert_eq!(flaw, Flaw::Seal, "bit {at}");
    }
    for length in 0..seal.as_bytes().len() {
        assert!(unwrap(&Seal::from_bytes(seal.as_bytes()[..length].to_vec()), &token()).is_err());
    }
    for length in 0..VALUE.len() {
        assert_eq!(key().open(NAME, &value(&VALUE[..length])), Err(Flaw::Value));
    }
}
