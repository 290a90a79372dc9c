/** The control panel. */
import './styles/tokens.css';
import './styles/base.css';
import './styles/parts.css';
import './styles/forms.css';
import './styles/dialogs.css';
import './styles/data.css';
import './styles/frame.css';
import './styles/alone.css';
import { render } from 'preact';
import { App } from './app.tsx';
import { startLocale } from './core/locale.ts';
import { startRouter } from './core/router.ts';
import { loadSession } from './core/session.ts';
import { showTheme } from './core/theme.ts';
import { startPalette } from './frame/palette.tsx';

showTheme();
startRouter();
startPalette();
void loadSession();
void startLocale().then(() => render(<App />, document.getElementById('app') as HTMLElement));
