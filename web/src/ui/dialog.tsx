/** Uses the browser's own dialogs: focus stays inside, Escape closes, focus returns to where it was. */
import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { text } from '../core/locale.ts';
import { useAction } from '../core/resource.ts';
import { Button } from './basics.tsx';
import { bound, Form, PasswordField, TextField } from './field.tsx';
import { ErrorBox } from './problems.tsx';

interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly isWide?: boolean;
  /** When the dialog is a form: the submit handler, also for Enter. */
  readonly onSend?: (() => unknown) | undefined;
  readonly children: ComponentChildren;
  readonly footer?: ComponentChildren;
}

/** Open while it is rendered. */
export function Dialog({ title, onClose, isWide, onSend, children, footer }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  // Runs before the next key stroke, which is meant for the dialog.
  useLayoutEffect(() => {
    const dialog = element.current;
    const before = document.activeElement;
    if (dialog !== null && !dialog.open) {
      dialog.showModal();
      // Not the close button, which comes first.
      const first = ['.dialog-body :is(input, textarea, select)', 'footer .primary', 'footer button'];
      first
        .map((selector) => dialog.querySelector<HTMLElement>(selector))
        .find((found) => found !== null)
        ?.focus();
    }
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  const content = (
    <>
      <div class="dialog-body">{children}</div>
      {footer !== undefined && <footer class="actions">{footer}</footer>}
    </>
  );
  return (
    <dialog
      ref={element}
      class={isWide ? 'dialog wide' : 'dialog'}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === element.current) onClose();
      }}
    >
      <div class="dialog-inner">
        <header>
          <h2 id={id}>{title}</h2>
          <Button icon="close" isSmall label={text('Close')} onClick={onClose} />
        </header>
        {onSend === undefined ? content : <Form onSend={onSend}>{content}</Form>}
      </div>
    </dialog>
  );
}

export interface Question {
  readonly title: string;
  /** What will stop working, and how to undo it. */
  readonly consequences: readonly string[];
  readonly undo?: string;
  readonly action: string;
  /** Text that must be typed before the button works, and its prompt. */
  readonly phrase?: { readonly expected: string; readonly label: string };
  /** Label of a field for the current password, if that is required too. */
  readonly password?: string;
  readonly perform: (phrase: string, password: string) => Promise<void>;
}

const question = signal<Question | undefined>(undefined);

/** Asks for confirmation before something is deleted. */
export function ask(next: Question): void {
  question.value = next;
}

export function QuestionDialog() {
  const asked = question.value;
  return asked === undefined ? null : <Ask key={asked.title} {...asked} />;
}

const typed = signal('');
const typedPassword = signal('');
function Ask({ title, consequences, undo, action, phrase, password, perform }: Question) {
  const close = () => {
    typed.value = typedPassword.value = '';
    question.value = undefined;
  };
  const { run, isBusy, error } = useAction(async () => {
    await perform(typed.value, typedPassword.value);
    close();
  });
  return (
    <Dialog
      title={title}
      onClose={close}
      onSend={run}
      footer={
        <>
          <Button onClick={close}>{text('Cancel')}</Button>
          <Button
            kind="danger"
            isBusy={isBusy.value}
            type="submit"
            isDisabled={phrase !== undefined && typed.value !== phrase.expected}
          >
            {action}
          </Button>
        </>
      }
    >
      <p class="consequences-title">{text('What stops working')}</p>
      <ul class="consequences">
        {consequences.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
      {undo !== undefined && <p class="faint">{undo}</p>}
      {phrase !== undefined && <TextField label={phrase.label} {...bound(typed)} isCode />}
      {password !== undefined && <PasswordField label={password} {...bound(typedPassword)} />}
      <ErrorBox error={error.value} />
    </Dialog>
  );
}
