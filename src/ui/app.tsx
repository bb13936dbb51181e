// The page's layout and the keys, drops and title that belong to the whole page. Controls and stage are in their own files.
import { effect } from '@preact/signals';
import { render } from 'preact';
import { useEffect } from 'preact/hooks';
import { defaults, usualMotion } from '../options';
import { followAddress } from './address';
import { keepAwake } from './awake';
import { begin } from './begin';
import { BackgroundField, framesHelp, NumberField, PromptField, promptForm, SamplerField, SeedField } from './fields';
import { pastedPictures, receiveFiles, showAnswer } from './files';
import { Footer } from './footer';
import { GenerateRow } from './generate-row';
import { Mark } from './icons';
import { isComposing } from './keys';
import { PictureField } from './picture-field';
import { percent } from './progress';
import { RedrawField } from './redraw-field';
import type { Session } from './session';
import { Shelf } from './shelf';
import { focusGenerate, Stage } from './stage';

export function mount(root: Element, session: Session): void {
  root.replaceChildren(); // What index.html says to browsers that do not get this far.
  render(<App session={session} />, root);
  effect(() => {
    document.title = titleOf(session);
  });
  // Buttons that go away with what they are for: before the page is drawn anew.
  const handOn = (button: string) => {
    if (document.activeElement?.matches(button)) focusGenerate();
  };
  effect(() => {
    if (!session.progress.value && !session.isResting.value) handOn('.go .cancel');
  });
  effect(() => {
    if (!session.replaced.value) handOn('.go .note button');
  });
  effect(() => {
    if (!session.failure.value) handOn('.notice button');
  });
  followAddress(session);
  keepAwake(() => session.progress.value !== undefined);
}

function App({ session }: { session: Session }) {
  usePageKeys(session);
  useFiles(session);
  useLeaveWarning(session);
  return (
    <div class="page">
      <header class="masthead">
        <h1>
          <Mark /> Flipbook
        </h1>
        <p>Words in, moving pages out. Drawn on your own machine: nothing you write leaves it.</p>
      </header>
      <main>
        <PromptForm session={session} />
        <Stage session={session} />
        <Settings session={session} />
        <Shelf session={session} />
      </main>
      <Footer session={session} />
    </div>
  );
}

const ideas = [
  'a grinning face',
  'a red heart',
  'a dancing cat',
  'an owl',
  'a rocket',
  'a birthday cake',
  'egg > hatching chick > rooster',
];

function PromptForm({ session }: { session: Session }) {
  return (
    <form
      id={promptForm}
      class="prompt-form card"
      onSubmit={(event) => {
        event.preventDefault();
        begin(session);
      }}
    >
      <PromptField session={session} />
      <ul class="ideas" aria-label="Ideas to try">
        {ideas.map((idea) => (
          <li key={idea}>
            <button type="button" onClick={() => session.suggest(idea)}>
              {idea}
            </button>
          </li>
        ))}
      </ul>
      <PictureField session={session} />
      <RedrawField session={session} />
      <GenerateRow session={session} />
    </form>
  );
}

function Settings({ session }: { session: Session }) {
  return (
    <section class="settings card" aria-label="Settings">
      <NumberField
        session={session}
        field="steps"
        label="Steps"
        help={`Passes from noise to picture. More is slower; past ${defaults.steps} or so this model gets no finer.`}
      />
      <NumberField session={session} field="frames" label="Frames" help={framesHelp(session.form.frames.value)} />
      <SeedField session={session} />
      <NumberField
        session={session}
        field="guidance"
        label="Guidance"
        help="Higher keeps closer to the words. 1 is what the model learned, and fastest."
      />
      <NumberField
        session={session}
        field="motion"
        label="Motion"
        help="More moves more. Empty: as it comes."
        unset={usualMotion}
      />
      <SamplerField session={session} />
      <BackgroundField session={session} />
    </section>
  );
}

/** Over the page, the drawing pad has the keys, what is dropped and what is pasted to itself. */
const isCovered = () => document.querySelector('dialog[open]') !== null;

function usePageKeys(session: Session): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (isCovered() || isComposing(event)) return;
      if (turnPage(session, event)) event.preventDefault();
      else if (event.repeat) {
        // Held down at Cancel or in a field, Enter would press the button that comes next, and begin one clip after another.
        if (event.key === 'Enter' && !event.shiftKey) event.preventDefault();
      } else if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        begin(session);
      } else if (event.key === 'Escape' && session.progress.value) {
        event.preventDefault();
        session.cancel();
      }
    };
    addEventListener('keydown', onKeyDown);
    return () => removeEventListener('keydown', onKeyDown);
  }, [session]);
}

/** Left and right arrows turn the clip's pages where they mean nothing else. @returns whether they did */
function turnPage(session: Session, event: KeyboardEvent): boolean {
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!by || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return false;
  // In fields they move the cursor, and they scroll the rows that may be wider than the page.
  if (event.target instanceof Element && event.target.closest('input, textarea, select, video, .shelf ul, .ideas'))
    return false;
  return session.turn(by);
}

/** The browser asks before the page is left with a clip in the making, or with one that would be gone. */
function useLeaveWarning(session: Session): void {
  useEffect(() => {
    const onBeforeUnload = (event: BeforeUnloadEvent) => {
      if (session.progress.value || session.isAtRisk.value) event.preventDefault();
    };
    addEventListener('beforeunload', onBeforeUnload);
    return () => removeEventListener('beforeunload', onBeforeUnload);
  }, [session]);
}

/** A link that is dropped beside the text fields would be opened in place of the page. */
const isStrayLink = ({ target, dataTransfer }: DragEvent) =>
  dataTransfer?.types.includes('text/uri-list') &&
  !(target instanceof Element && target.matches('textarea, input[type=text]'));

const isOnControl = ({ target }: DragEvent) => target instanceof Element && target.closest('.drop') !== null;

/** Files dropped or pasted anywhere on the page. */
function useFiles(session: Session): void {
  useEffect(() => {
    /** What the pointer with the files is over. */
    let over: EventTarget | null = null;
    const onDragEnter = ({ target }: DragEvent) => {
      over = target;
    };
    const onDragOver = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes('Files')) {
        if (isStrayLink(event)) event.preventDefault();
        return;
      }
      event.preventDefault();
      if (!isCovered()) session.dragging.value = isOnControl(event) ? 'control' : 'page';
    };
    // Within the page the next element is entered before the last one is left. `relatedTarget` would say so, too, but in older
    // Safari it is always null.
    const onDragLeave = ({ target }: DragEvent) => {
      if (target === over) session.dragging.value = 'none';
    };
    const onDrop = (event: DragEvent) => {
      session.dragging.value = 'none';
      const files = [...(event.dataTransfer?.files ?? [])];
      if (files.length > 0 || isStrayLink(event)) event.preventDefault();
      if (files.length === 0 || isCovered()) return;
      void receiveFiles(session, files, isOnControl(event)).then(showAnswer);
    };
    const onPaste = (event: ClipboardEvent) => {
      const pictures = pastedPictures(event);
      if (pictures.length === 0 || isCovered()) return;
      event.preventDefault();
      void receiveFiles(session, pictures, true).then(showAnswer);
    };
    addEventListener('dragenter', onDragEnter);
    addEventListener('dragover', onDragOver);
    addEventListener('dragleave', onDragLeave);
    addEventListener('drop', onDrop);
    addEventListener('paste', onPaste);
    return () => {
      removeEventListener('dragenter', onDragEnter);
      removeEventListener('dragover', onDragOver);
      removeEventListener('dragleave', onDragLeave);
      removeEventListener('drop', onDrop);
      removeEventListener('paste', onPaste);
    };
  }, [session]);
}

function titleOf(session: Session): string {
  const progress = session.progress.value;
  if (progress) return `${percent(progress)}% · Flipbook`;
  const clip = session.clip.value;
  return clip ? `${clip.title.slice(0, 60)} · Flipbook` : 'Flipbook: text to moving stickers, in your browser';
}
