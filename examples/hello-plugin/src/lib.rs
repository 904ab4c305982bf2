//! The smallest plugin that teaches: one service, one page, one form.

use qiao_sdk::{Answer, Form, Input, Page, PageError, Plugin, Submission, Tone, Visit};

/// The longest name that is greeted, in characters.
const NAME_CHARS_MAX: usize = 40;

/// Greets whoever says a name.
struct HelloPlugin;

impl Plugin for HelloPlugin {
    /// The host asks for the page of a service of `plugin.toml`.
    fn open(visit: Visit) -> Result<Page, PageError> {
        match visit.service.as_str() {
            "hello" => Ok(hello_page(&visit)),
            _ => Err(PageError::NotFound(visit.service)),
        }
    }

    /// The user pressed the button of a form.
    fn submit(submission: Submission) -> Result<Answer, PageError> {
        match submission.form.as_str() {
            "greet" => greet(&submission).map(Answer::Page),
            _ => Err(PageError::NotFound(submission.form)),
        }
    }
}

qiao_sdk::export!(HelloPlugin);

fn hello_page(visit: &Visit) -> Page {
    let name = Input::text("name", visit.say("Your name", "您的名字"))
        .placeholder(visit.say("Ann", "小明"));
    Page::new(visit.say("Hello", "你好"))
        .text(visit.say(
            "Tell me your name, and I greet you.",
            "告诉我您的名字,我来问候您。",
        ))
        .form(Form::new("greet", visit.say("Greet me", "问候我")).input(name))
}

fn greet(submission: &Submission) -> Result<Page, PageError> {
    let name = submission.text("name")?;
    if name.chars().count() > NAME_CHARS_MAX {
        return Err(submission.problem("name", "This name is too long.", "名字太长。"));
    }
    let visit = &submission.visit;
    let greeting = format!("{}{name}!", visit.say("Hello, ", "你好,"));
    Ok(hello_page(visit).notice(Tone::Success, greeting))
}

#[cfg(test)]
mod tests {
    use qiao_sdk::testing::{submission, visit};
    use qiao_sdk::{Answer, Block, Notice, PageError, Plugin, Tone};

    use super::HelloPlugin;

    #[test]
    fn the_service_shows_a_form() {
        let page = HelloPlugin::open(visit("hello")).unwrap();
        assert!(
            page.blocks
                .iter()
                .any(|block| matches!(block, Block::Form(_)))
        );
    }

    #[test]
    fn a_name_is_greeted() {
        let answer = HelloPlugin::submit(submission(visit("hello"), "greet", &[("name", "Ann")]));
        let Ok(Answer::Page(page)) = answer else {
            panic!("no page: {answer:?}");
        };
        let greeting = Notice {
            tone: Tone::Success,
            text: "Hello, Ann!".to_owned(),
        };
        assert!(page.blocks.contains(&Block::Notice(greeting)));
    }

    #[test]
    fn a_missing_name_is_refused_beside_its_field() {
        let answer = HelloPlugin::submit(submission(visit("hello"), "greet", &[("name", "  ")]));
        assert_eq!(
            answer,
            Err(PageError::invalid_field("name", "Fill this in."))
        );
    }

    #[test]
    fn a_name_that_is_too_long_is_refused() {
        let name = "a".repeat(41);
        let answer = HelloPlugin::submit(submission(visit("hello"), "greet", &[("name", &name)]));
        assert_eq!(
            answer,
            Err(PageError::invalid_field("name", "This name is too long."))
        );
    }

    #[test]
    fn an_unknown_service_or_form_is_not_found() {
        assert!(matches!(
            HelloPlugin::open(visit("other")),
            Err(PageError::NotFound(_))
        ));
        let answer = HelloPlugin::submit(submission(visit("hello"), "other", &[]));
        assert!(matches!(answer, Err(PageError::NotFound(_))));
    }
}
