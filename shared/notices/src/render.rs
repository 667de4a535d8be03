use crate::context::context;
use crate::templates::{LAYOUT, SMS, SUBJECT, TEXT, words};
use crate::{Kind, Language, Notice};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Value;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, context};
use thiserror::Error;

/// A notice, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts {
    /// One line.
    pub subject: String,
    pub text: String,
    pub html: String,
    /// One line, without what a mail is for.
    pub sms: String,
}

/// A template is wrong: nothing that a notice holds can make it fail.
#[derive(Debug, Error)]
#[error("a template of notices is wrong: {0}")]
pub struct RenderError(#[from] minijinja::Error);

/// Holds the templates, read once.
#[derive(Debug)]
pub struct Renderer {
    templates: Environment<'static>,
}

#[derive(Debug, Clone, Copy)]
enum Form {
    Plain,
    Html,
}

/// What the names of templates begin with where what they are given is escaped.
const HTML: &str = "html/";
const LAYOUT_NAME: &str = "html/layout";

impl Renderer {
    pub fn try_new() -> Result<Self, RenderError> {
        let mut templates = Environment::new();
        // A name that is written wrong must not become a gap in somebody's receipt.
        templates.set_undefined_behavior(UndefinedBehavior::Strict);
        // A line with nothing but a tag leaves no line behind.
        templates.set_syntax(SyntaxConfig::builder().trim_blocks(true).build()?);
        let is_html = |name: &str| if name.starts_with(HTML) { AutoEscape::Html } else { AutoEscape::None };
        templates.set_auto_escape_callback(is_html);
        for (kind, language) in
            Kind::ALL.into_iter().flat_map(|kind| Language::ALL.map(|language| (kind, language)))
        {
            for form in [Form::Plain, Form::Html] {
                templates.add_template_owned(name(kind, language, form), words(kind, language))?;
            }
        }
        templates.add_template(LAYOUT_NAME, LAYOUT)?;
        Ok(Self { templates })
    }

    pub fn render(&self, notice: &Notice) -> Result<Texts, RenderError> {
        let language = notice.to.language;
        let [subject, sms, text] = self.parts(notice, Form::Plain, [SUBJECT, SMS, TEXT])?;
        let [escaped] = self.parts(notice, Form::Html, [TEXT])?;
        let subject = one_line(&subject);
        let html = self.mail(&subject, &escaped, language)?;
        Ok(Texts { subject, text: format!("{}\n", text.trim()), html, sms: one_line(&sms) })
    }

    fn parts<const N: usize>(
        &self,
        notice: &Notice,
        form: Form,
        parts: [&str; N],
    ) -> Result<[String; N], RenderError> {
        let template = self.templates.get_template(&name(notice.matter.kind(), notice.to.language, form))?;
        let mut rendered = template.render_captured(context(notice))?;
        let mut read = parts.map(|_| String::new());
        for (slot, part) in read.iter_mut().zip(parts) {
            *slot = rendered.with_state_mut(|state| state.render_block(part))?;
        }
        Ok(read)
    }

    /// Paragraphs as they were parted by empty lines. What is in them has been escaped.
    fn mail(&self, subject: &str, escaped: &str, language: Language) -> Result<String, RenderError> {
        let paragraphs: Vec<Value> = escaped
            .trim()
            .split("\n\n")
            .map(|paragraph| Value::from_safe_string(paragraph.trim().replace('\n', "<br>")))
            .collect();
        let around = context! { subject => subject, language => language.tag(), paragraphs => paragraphs };
        Ok(self.templates.get_template(LAYOUT_NAME)?.render(around)?)
    }
}

fn name(kind: Kind, language: Language, form: Form) -> String {
    let form = match form {
        Form::Plain => "plain/",
        Form::Html => HTML,
    };
    format!("{form}{}/{}", language.tag(), kind.as_str())
}

/// A line break in a subject would begin another header.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
