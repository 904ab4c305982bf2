//! Fines, made from the plate: the same plate always has the same fines, and the number
//! of a fine leads back to its plate.

use serde::Serialize;

/// Provinces on a plate, and how a fine's number writes them.
const PROVINCES: [(char, &str); 8] = [
    ('京', "BJ"),
    ('沪', "SH"),
    ('津', "TJ"),
    ('粤', "GD"),
    ('浙', "ZJ"),
    ('苏', "JS"),
    ('川', "SC"),
    ('鄂', "HB"),
];
/// Plates of the documentation: where their drawing begins, and their number of fines.
const KNOWN_PLATES: [(&str, u32, usize); 3] =
    [("京A12345", 0, 2), ("沪B67890", 3, 3), ("粤C00000", 0, 0)];
/// The most fines that a plate has.
const FINES_MAX: usize = 3;

/// What was done, what it costs and its points.
const VIOLATIONS: [(&str, i64, u8); 5] = [
    ("超速10%以上未达20% Speeding", 20_000, 3),
    ("违法停车 Illegal parking", 5_000, 0),
    ("未按导向车道行驶 Wrong lane", 10_000, 2),
    ("闯红灯 Running a red light", 20_000, 6),
    ("未系安全带 No seat belt", 5_000, 1),
];
const PLACES: [&str; 4] = [
    "长安街 Chang'an Avenue",
    "南京西路 West Nanjing Road",
    "人民路 Renmin Road",
    "环城高速 Ring Expressway",
];

/// A fine of the authority, without what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fine {
    /// Its number: `BJA12345-1`.
    pub number: String,
    /// The plate: `京A12345`.
    pub plate: String,
    /// What was done.
    pub violation: &'static str,
    /// Where.
    pub place: &'static str,
    /// When, in Asia/Shanghai: `2026-10-03 08:15`.
    pub time: String,
    /// Points on the licence.
    pub points: u8,
    /// What it costs, in minor units.
    pub amount_minor: i64,
    /// Always `CNY`.
    pub currency: &'static str,
}

/// The fines of a plate; none when the plate is of no province that this authority serves.
#[must_use]
pub fn fines_of(plate: &str) -> Vec<Fine> {
    let mut characters = plate.chars();
    let Some(province) = characters.next() else {
        return Vec::new();
    };
    let rest = characters.as_str();
    let Some((_, code)) = PROVINCES
        .iter()
        .find(|(character, _)| *character == province)
    else {
        return Vec::new();
    };
    if !(6..=7).contains(&rest.len()) || !rest.bytes().all(is_plate_byte) {
        return Vec::new();
    }
    let drawn = hash(plate);
    let (seed, count) = KNOWN_PLATES
        .iter()
        .find(|(known, _, _)| *known == plate)
        .map_or(
            (drawn, drawn as usize % (FINES_MAX + 1)),
            |(_, seed, count)| (*seed, *count),
        );
    (1..=count)
        .map(|ordinal| fine(plate, &format!("{code}{rest}-{ordinal}"), seed, ordinal))
        .collect()
}

/// The fine of that number.
pub(crate) fn find(number: &str) -> Option<Fine> {
    let (plate, _) = number.rsplit_once('-')?;
    let (character, code) = PROVINCES.iter().find(|(_, code)| plate.starts_with(code))?;
    let plate = format!("{character}{}", &plate[code.len()..]);
    fines_of(&plate)
        .into_iter()
        .find(|fine| fine.number == number)
}

fn is_plate_byte(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

fn fine(plate: &str, number: &str, seed: u32, ordinal: usize) -> Fine {
    let draw = seed as usize + ordinal - 1;
    let (violation, amount_minor, points) = VIOLATIONS[draw % VIOLATIONS.len()];
    Fine {
        number: number.to_owned(),
        plate: plate.to_owned(),
        violation,
        place: PLACES[draw % PLACES.len()],
        time: format!(
            "2026-10-{:02} {:02}:{:02}",
            1 + draw % 28,
            draw % 24,
            draw % 60
        ),
        points,
        amount_minor,
        currency: "CNY",
    }
}

/// FNV-1a.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

#[cfg(test)]
mod tests {
    use super::{find, fines_of};

    #[test]
    fn plates_of_the_documentation_have_their_fines() {
        let amounts = |plate| {
            fines_of(plate)
                .iter()
                .map(|fine| fine.amount_minor)
                .collect::<Vec<_>>()
        };
        assert_eq!(amounts("京A12345"), [20_000, 5_000]);
        assert_eq!(amounts("沪B67890"), [20_000, 5_000, 20_000]);
        assert!(amounts("粤C00000").is_empty());
    }

    #[test]
    fn every_fine_is_found_by_its_number() {
        for serial in 0..200 {
            for fine in fines_of(&format!("浙D{serial:05}")) {
                assert_eq!(find(&fine.number), Some(fine));
            }
        }
    }

    #[test]
    fn what_is_no_plate_or_number_has_no_fine() {
        for plate in [
            "",
            "京",
            "京A1234",
            "A12345",
            "京A123456789",
            "京a12345",
            "藏A12345",
        ] {
            assert!(fines_of(plate).is_empty(), "{plate}");
        }
        for number in [
            "",
            "-",
            "BJA12345",
            "BJA12345-0",
            "BJA12345-3",
            "BJA12345-01",
            "京A12345-1",
            "XXA12345-1",
        ] {
            assert_eq!(find(number), None, "{number}");
        }
    }
}
