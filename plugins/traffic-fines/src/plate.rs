//! Number plates of mainland China, and numbers of fines.

/// The first character of a plate: the province, or an embassy or consulate.
const PROVINCES: &str = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领";
/// Characters after province and city: five, or six for new-energy vehicles.
const SERIAL_CHARS: [usize; 2] = [5, 6];
/// Characters of a fine's number.
const FINE_NUMBER_CHARS_MAX: usize = 32;

/// The plate in its one form, `京A12345`, or `None` when it is none.
pub(crate) fn normalised(text: &str) -> Option<String> {
    let separator = |c: &char| !matches!(c, ' ' | '·' | '-');
    let plate: String = text
        .chars()
        .filter(separator)
        .map(|c| c.to_ascii_uppercase())
        .collect();
    let mut characters = plate.chars();
    let province = characters.next()?;
    let city = characters.next()?;
    let serial = characters.as_str();
    let valid = PROVINCES.contains(province)
        && city.is_ascii_uppercase()
        && SERIAL_CHARS.contains(&serial.len())
        && serial.bytes().all(|byte| byte.is_ascii_alphanumeric());
    valid.then_some(plate)
}

/// Whether a text can be a fine's number, and thus stand in a path.
pub(crate) fn is_fine_number(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.len() <= FINE_NUMBER_CHARS_MAX && text.bytes().all(known)
}
