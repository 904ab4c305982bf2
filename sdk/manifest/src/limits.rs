//! Every limit of a manifest and of a packed release.

/// Bytes of a manifest's text.
pub const MANIFEST_BYTES_MAX: usize = 64 * 1024;
/// Bytes of a signature.
pub const SIGNATURE_BYTES_MAX: usize = 4 * 1024;
/// Characters of the name of a plugin, service, egress rule or job.
pub const NAME_CHARS_MAX: usize = 32;
/// Characters of a version.
pub const VERSION_CHARS_MAX: usize = 64;
/// Characters of the title of a plugin or a service.
pub const TITLE_CHARS_MAX: usize = 64;
/// Characters of a plugin's summary.
pub const SUMMARY_CHARS_MAX: usize = 200;
/// Characters of the reason for a scope or an egress rule.
pub const REASON_CHARS_MAX: usize = 200;
/// Services of a plugin.
pub const SERVICES_MAX: usize = 16;
/// Egress rules of a plugin.
pub const EGRESS_RULES_MAX: usize = 8;
/// Bytes of the address of an egress rule.
pub const EGRESS_URL_BYTES_MAX: usize = 512;
/// Jobs of a plugin.
pub const JOBS_MAX: usize = 8;
/// Entries of the public account's menu.
pub const MENU_ENTRIES_MAX: usize = 3;
/// Items below one entry of the menu.
pub const MENU_ITEMS_MAX: usize = 5;
/// Characters of the title of a menu entry or item.
pub const MENU_TITLE_CHARS_MAX: usize = 16;
