//! What is taught in the demo: found by names, titles and places, made when it is not there.

use edupro_core::{
    School,
    accounts::User,
    categories::{self, Category, CategoryId},
    courses::{self, CourseTree, NewCourse, NewTrailer},
    files::{CheckedVideo, Picture, PictureRules},
    lessons::{self, NewLesson},
    modules::{self, NewModule},
    video::uploads::NewVideo,
};

use super::{
    colours::Colours,
    mathematics::TAREK,
    outline::{Content, Course, Lesson, Module, Teacher},
    painting::{Pattern, Style},
    physics::MONA,
    programming::LAILA,
    uploads,
};

/// One more than there are courses about: so does every school.
const CATEGORIES: [(&str, Style); 4] = [
    ("Physics", MONA.style),
    ("Mathematics", TAREK.style),
    ("Computer science", LAILA.style),
    ("Languages", LANGUAGES),
];

const LANGUAGES: Style = Style {
    pattern: Pattern::Listing,
    colours: Colours { dark: [60, 44, 12], light: [250, 222, 150] },
};

/// The categories, those of other people too.
pub(super) async fn categories(school: &School) -> anyhow::Result<Vec<Category>> {
    let mut known = categories::list(&mut *school.storage.read().await?).await?;
    for (name, style) in CATEGORIES {
        if category(&known, name).is_none() {
            let icon = uploads::picture(school, style, name, PictureRules::PUBLIC).await?;
            known.push(categories::create(school, name, Some(icon)).await?);
        }
    }
    Ok(known)
}

fn category(known: &[Category], name: &str) -> Option<CategoryId> {
    let found = known.iter().find(|category| category.name.to_lowercase() == name.to_lowercase());
    found.map(|category| category.id)
}

/// Somebody who makes courses.
#[derive(Debug)]
pub(super) struct Author<'a> {
    school: &'a School,
    user: &'a User,
    style: Style,
    categories: &'a [Category],
}

impl<'a> Author<'a> {
    pub(super) fn new(
        school: &'a School,
        user: &'a User,
        outline: &Teacher,
        categories: &'a [Category],
    ) -> Self {
        Self { school, user, style: outline.style, categories }
    }

    /// Makes what is missing of these courses, and leaves alone what is there.
    pub(super) async fn complete(&self, outlines: &[Course]) -> anyhow::Result<()> {
        let own = courses::own(&mut *self.school.storage.read().await?, self.user.id).await?;
        for outline in outlines {
            let course = match own.iter().find(|course| course.title == outline.title) {
                Some(course) => course.id,
                None => self.course(outline).await?.id,
            };
            let mut tx = self.school.storage.read().await?;
            let tree = courses::tree(&mut *tx, self.user.id, course).await?;
            drop(tx);
            self.modules(&tree, outline).await?;
        }
        Ok(())
    }

    async fn modules(&self, tree: &CourseTree, outline: &Course) -> anyhow::Result<()> {
        for (order, outline) in (1..).zip(outline.modules) {
            let (module, known) = match tree.modules.iter().find(|(known, _)| known.order == order)
            {
                Some((known, lessons)) => (known, &lessons[..]),
                None => (&self.module(&tree.course, outline, order).await?, &[][..]),
            };
            for (place, outline) in (1..).zip(outline.lessons) {
                if known.iter().all(|lesson| lesson.order != place) {
                    self.lesson(module, outline, place).await?;
                }
            }
        }
        Ok(())
    }

    async fn course(&self, outline: &Course) -> anyhow::Result<courses::Course> {
        let is_free = outline.price == 0;
        // What is to be sold is advertised.
        let trailer = match is_free {
            true => None,
            false => Some(NewTrailer::File(self.film().await?.into())),
        };
        let new = NewCourse {
            title: outline.title.to_owned(),
            description: outline.description.to_owned(),
            category: category(self.categories, outline.category),
            trailer,
            price: outline.price.into(),
            is_free,
            is_published: outline.is_published,
            thumbnail: Some(self.picture(outline.title, PictureRules::PUBLIC).await?),
        };
        Ok(courses::create(self.school, self.user.id, new).await?)
    }

    async fn module(
        &self,
        course: &courses::Course,
        outline: &Module,
        order: i64,
    ) -> anyhow::Result<modules::Module> {
        let new = NewModule {
            title: outline.title.to_owned(),
            description: Some(outline.description.to_owned()),
            order: Some(order),
            price: outline.price.into(),
            is_free: course.is_free,
            is_published: true,
            image: Some(self.picture(outline.title, PictureRules::MODULE_IMAGE).await?),
        };
        Ok(modules::create(self.school, self.user.id, course.id, new).await?)
    }

    async fn lesson(
        &self,
        module: &modules::Module,
        outline: &Lesson,
        order: i64,
    ) -> anyhow::Result<()> {
        let (film, lines) = match outline.content {
            Content::Film => (true, None),
            Content::Paper(lines) => (false, Some(lines)),
            Content::Both(lines) => (true, Some(lines)),
        };
        let mut new = NewLesson {
            title: outline.title.to_owned(),
            description: Some(outline.description.to_owned()),
            order: Some(order),
            is_published: true,
            is_free: (module.order, order) == (1, 1),
            duration: None,
            video: None,
            document: None,
            thumbnail: None,
        };
        if film {
            new.video = Some(NewVideo::File(self.film().await?));
            new.thumbnail =
                Some(self.picture(outline.title, PictureRules::LESSON_THUMBNAIL).await?);
        }
        if let Some(lines) = lines {
            new.document = Some(uploads::document(self.school, outline.title, lines).await?);
        }
        lessons::create(self.school, self.user.id, module.id, new).await?;
        Ok(())
    }

    async fn picture(&self, title: &str, rules: PictureRules) -> anyhow::Result<Picture> {
        uploads::picture(self.school, self.style, title, rules).await
    }

    async fn film(&self) -> anyhow::Result<CheckedVideo> {
        uploads::video(self.school, self.style.colours).await
    }
}
