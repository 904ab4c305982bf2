//! The one page of the bank: log in, see who asks for what, allow or deny.

use crate::account::Account;
use crate::grant::Scope;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:26rem;margin:2rem auto;\
padding:0 1rem;color:#1c2430}label{display:block;margin:1rem 0}input,select{display:block;\
width:100%;padding:.6rem;font:inherit;box-sizing:border-box}button{padding:.7rem 1.2rem;\
font:inherit;margin:.5rem .5rem .5rem 0}.wrong{color:#a4161a}";

/// What the page shows.
pub(crate) struct ConsentPage<'a> {
    pub(crate) bank: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) scopes: &'a [Scope],
    /// The request's parameters, which the form carries on.
    pub(crate) hidden: &'a [(&'static str, &'a str)],
    /// The customer's accounts, when there is a choice.
    pub(crate) accounts: &'a [Account],
    /// What was wrong with the last answer.
    pub(crate) wrong: Option<&'a str>,
}

impl ConsentPage<'_> {
    pub(crate) fn render(&self) -> String {
        let bank = escape(self.bank);
        let client = escape(self.client_id);
        let hidden: String = self
            .hidden
            .iter()
            .map(|(name, value)| {
                let value = escape(value);
                format!("<input type=\"hidden\" name=\"{name}\" value=\"{value}\">")
            })
            .collect();
        let asks: String = self
            .scopes
            .iter()
            .map(|scope| format!("<li>{}</li>", wording(*scope)))
            .collect();
        let wrong = self.wrong.map_or_else(String::new, |wrong| {
            format!("<p class=\"wrong\" role=\"alert\">{}</p>", escape(wrong))
        });
        let account = self.account_field();
        format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
             <title>{bank}</title><style>{STYLE}</style></head><body><h1>{bank}</h1>\
             <p><strong>{client}</strong> asks to:</p><ul>{asks}</ul>{wrong}\
             <form method=\"post\" action=\"/authorize\">{hidden}\
             <label>Customer 客户<input name=\"customer\" autocomplete=\"username\"></label>\
             <label>Password 密码<input name=\"password\" type=\"password\" \
             autocomplete=\"current-password\"></label>{account}\
             <button name=\"decision\" value=\"allow\">Allow 同意</button>\
             <button name=\"decision\" value=\"deny\" formnovalidate>Deny 拒绝</button>\
             </form></body></html>"
        )
    }

    fn account_field(&self) -> String {
        if self.accounts.is_empty() {
            return "<label>Account number, if you have several 账号<input name=\"account\" \
                    autocomplete=\"off\"></label>"
                .to_owned();
        }
        let options: String = self
            .accounts
            .iter()
            .map(|account| {
                let (id, number) = (escape(&account.id), escape(&account.number_masked()));
                format!("<option value=\"{id}\">{number}</option>")
            })
            .collect();
        format!("<label>Account 账户<select name=\"account\">{options}</select></label>")
    }
}

fn wording(scope: Scope) -> &'static str {
    match scope {
        Scope::Accounts => "see your account and its balance 查看账户",
        Scope::Payments => "move money to and from your account 转入转出",
        Scope::Custody => "see its custody account 查看托管账户",
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}
