/** Form fields: label, hint and problem are always linked to their control. */
import type { Signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import { text } from '../core/locale.ts';
import { Icon } from './icon.tsx';

/** A form that is handled by this page. `isUnchecked`: the browser does not validate it, the API reports the problems. */
export function Form({
  class: name = 'form',
  isUnchecked,
  onSend,
  children,
}: {
  class?: string;
  isUnchecked?: boolean;
  onSend: () => unknown;
  children: ComponentChildren;
}) {
  return (
    <form
      class={name}
      noValidate={isUnchecked}
      onSubmit={(event) => {
        event.preventDefault();
        void onSend();
      }}
    >
      {children}
    </form>
  );
}

/** A field bound to a signal: `<TextField label="Name" {...bound(name)} />`. */
export const bound = (value: Signal<string>) => ({
  value: value.value,
  onInput: (next: string) => void (value.value = next),
});

interface FieldProps {
  readonly label: string;
  readonly hint?: ComponentChildren;
  readonly problem?: string | undefined;
  readonly isOptional?: boolean;
}

interface Wired {
  readonly id: string;
  readonly 'aria-describedby': string | undefined;
  readonly 'aria-invalid': true | undefined;
}

function Field({
  label,
  hint,
  problem,
  isOptional,
  control,
}: FieldProps & { control: (wired: Wired) => ComponentChildren }) {
  const id = useId();
  const described = [hint !== undefined && `${id}-hint`, problem !== undefined && `${id}-problem`]
    .filter(Boolean)
    .join(' ');
  return (
    <div class="field">
      <label for={id}>
        {label}
        {isOptional && <span class="faint"> ({text('optional')})</span>}
      </label>
      {control({
        id,
        'aria-describedby': described || undefined,
        'aria-invalid': problem !== undefined || undefined,
      })}
      {hint !== undefined && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {problem !== undefined && <FieldProblem id={`${id}-problem`} message={problem} />}
    </div>
  );
}

const FieldProblem = ({ id, message }: { id: string; message: string }) => (
  <p class="problem" id={id}>
    <Icon name="close" size={14} /> {message}
  </p>
);

interface TextFieldProps extends FieldProps {
  readonly value: string;
  readonly onInput: (value: string) => void;
  readonly onBlur?: () => void;
  readonly type?: 'text' | 'password';
  readonly placeholder?: string;
  readonly autoComplete?: string;
  readonly inputMode?: 'numeric' | 'text';
  readonly isCode?: boolean;
  readonly isRequired?: boolean;
  readonly size?: number;
  readonly name?: string;
  readonly autoFocus?: boolean;
}

export function TextField({
  value,
  onInput,
  onBlur,
  type = 'text',
  placeholder,
  autoComplete = 'off',
  inputMode,
  isCode,
  isRequired,
  size,
  name,
  autoFocus,
  ...field
}: TextFieldProps) {
  return (
    <Field
      {...field}
      control={(wired) => (
        <input
          {...wired}
          ref={autoFocus ? focusOnce : undefined}
          class={isCode ? 'code' : undefined}
          type={type as 'text'}
          name={name}
          value={value}
          placeholder={placeholder}
          autocomplete={autoComplete}
          inputMode={inputMode}
          required={isRequired}
          size={size}
          spellcheck={false}
          autocapitalize="off"
          onInput={(event) => onInput(event.currentTarget.value)}
          onBlur={onBlur}
        />
      )}
    />
  );
}

/** `isNew`: a new password, for password managers. */
export const PasswordField = ({ isNew, ...field }: Omit<TextFieldProps, 'type'> & { isNew?: boolean }) => (
  <TextField
    type="password"
    autoComplete={isNew ? 'new-password' : 'current-password'}
    isRequired
    {...field}
  />
);

const focused = new WeakSet<Element>();
function focusOnce(element: HTMLInputElement | null): void {
  if (element === null || focused.has(element)) return;
  focused.add(element);
  element.focus();
}

export function TextArea({
  value,
  onInput,
  rows = 6,
  placeholder,
  isReadOnly,
  isCode = true,
  ...field
}: FieldProps & {
  value: string;
  onInput?: (value: string) => void;
  rows?: number;
  placeholder?: string;
  isReadOnly?: boolean;
  isCode?: boolean;
}) {
  return (
    <Field
      {...field}
      control={(wired) => (
        <textarea
          {...wired}
          class={isCode ? 'code' : undefined}
          rows={rows}
          value={value}
          placeholder={placeholder}
          readOnly={isReadOnly}
          spellcheck={false}
          autocapitalize="off"
          autocomplete="off"
          onInput={(event) => onInput?.(event.currentTarget.value)}
        />
      )}
    />
  );
}

export function SelectField<Value extends string>({
  value,
  options,
  onChange,
  ...field
}: FieldProps & {
  value: Value;
  options: readonly (readonly [Value, string])[];
  onChange: (value: Value) => void;
}) {
  return (
    <Field
      {...field}
      control={(wired) => (
        <select {...wired} value={value} onChange={(event) => onChange(event.currentTarget.value as Value)}>
          {options.map(([option, title]) => (
            <option key={option} value={option}>
              {title}
            </option>
          ))}
        </select>
      )}
    />
  );
}

export function CheckField({
  label,
  hint,
  isChecked,
  onChange,
}: {
  label: ComponentChildren;
  hint?: ComponentChildren;
  isChecked: boolean;
  onChange: (isChecked: boolean) => void;
}) {
  const id = useId();
  return (
    <div class="check-field">
      <input
        type="checkbox"
        id={id}
        checked={isChecked}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <label for={id}>{label}</label>
      {hint !== undefined && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

/** A choice between a few options, all visible. */
export function Choice<Value extends string>({
  label,
  value,
  options,
  onChange,
}: {
  label: string;
  value: Value;
  options: readonly (readonly [Value, string])[];
  onChange: (value: Value) => void;
}) {
  const name = useId();
  return (
    <fieldset class="choice">
      <legend class="visually-hidden">{label}</legend>
      {options.map(([option, title]) => (
        <label key={option}>
          <input type="radio" name={name} checked={option === value} onChange={() => onChange(option)} />
          <span>{title}</span>
        </label>
      ))}
    </fieldset>
  );
}
