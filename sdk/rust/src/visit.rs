use crate::{
    Answer, DecimalError, Field, FieldProblem, Money, Offer, Page, PageError, Submission, Units,
    Visit,
};

impl Visit {
    /// Whether the user reads Chinese.
    #[must_use]
    pub fn is_chinese(&self) -> bool {
        self.locale.starts_with("zh")
    }

    /// The text in the user's language.
    #[must_use]
    pub fn say<'a>(&self, english: &'a str, chinese: &'a str) -> &'a str {
        if self.is_chinese() { chinese } else { english }
    }

    /// The value that a link of an earlier page carried, or an empty text.
    #[must_use]
    pub fn param(&self, name: &str) -> &str {
        find(&self.params, name)
    }
}

impl Submission {
    /// What the user typed into an input, without blanks around it, or an empty text.
    #[must_use]
    pub fn value(&self, name: &str) -> &str {
        find(&self.fields, name)
    }

    /// The text of a field that must be filled.
    ///
    /// # Errors
    /// [`PageError::InvalidField`] when it is empty.
    pub fn text(&self, name: &str) -> Result<&str, PageError> {
        match self.value(name) {
            "" => Err(self.problem(name, "Fill this in.", "请填写此项。")),
            text => Ok(text),
        }
    }

    /// The amount of money in a field.
    ///
    /// # Errors
    /// [`PageError::InvalidField`] in the user's language when it is no amount.
    pub fn amount(&self, name: &str, currency: &str) -> Result<Money, PageError> {
        Money::parse(self.value(name), currency).map_err(|error| self.not_a_number(name, error))
    }

    /// The units in a field.
    ///
    /// # Errors
    /// [`PageError::InvalidField`] in the user's language when it is no number of units.
    pub fn units(&self, name: &str) -> Result<Units, PageError> {
        Units::parse(self.value(name)).map_err(|error| self.not_a_number(name, error))
    }

    /// The refusal of a field, in the user's language.
    #[must_use]
    pub fn problem(&self, name: &str, english: &str, chinese: &str) -> PageError {
        PageError::invalid_field(name, self.visit.say(english, chinese))
    }

    fn not_a_number(&self, name: &str, error: DecimalError) -> PageError {
        match error {
            DecimalError::Empty => self.problem(name, "Fill this in.", "请填写此项。"),
            DecimalError::NotANumber => self.problem(
                name,
                "Write a number such as 1000.00.",
                "请输入数字,例如 1000.00。",
            ),
            DecimalError::TooPrecise(_) => {
                self.problem(name, "There are too many decimal places.", "小数位数过多。")
            }
            DecimalError::TooLarge => self.problem(name, "This is too large.", "数值过大。"),
        }
    }
}

impl PageError {
    /// The refusal of a field, shown beside it.
    #[must_use]
    pub fn invalid_field(name: &str, cause: impl Into<String>) -> Self {
        Self::InvalidField(FieldProblem {
            name: name.to_owned(),
            cause: cause.into(),
        })
    }
}

impl From<Page> for Answer {
    fn from(page: Page) -> Self {
        Self::Page(page)
    }
}

impl From<Offer> for Answer {
    fn from(offer: Offer) -> Self {
        Self::Offer(offer)
    }
}

fn find<'a>(fields: &'a [Field], name: &str) -> &'a str {
    fields
        .iter()
        .find(|field| field.name == name)
        .map_or("", |field| field.value.trim())
}

#[cfg(test)]
mod tests {
    use crate::testing::{submission, visit};
    use crate::{Money, PageError, Units};

    #[test]
    fn fields_are_read_as_what_they_are() {
        let form = submission(
            visit("invest"),
            "buy",
            &[("amount", " 12.50 "), ("units", "3")],
        );
        assert_eq!(form.amount("amount", "CNY"), Ok(Money::cny(1250)));
        assert_eq!(form.units("units"), Ok(Units(300)));
        assert_eq!(form.value("absent"), "");
    }

    #[test]
    fn a_field_that_is_no_amount_is_refused_in_the_users_language() {
        let mut chinese = visit("invest");
        chinese.locale = "zh-CN".to_owned();
        let form = submission(chinese, "buy", &[("amount", "many"), ("note", " ")]);
        assert_eq!(
            form.amount("amount", "CNY"),
            Err(PageError::invalid_field(
                "amount",
                "请输入数字,例如 1000.00。"
            ))
        );
        assert_eq!(
            form.text("note"),
            Err(PageError::invalid_field("note", "请填写此项。"))
        );
    }
}
