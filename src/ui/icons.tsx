// The page's drawings: icons of 24 units in the current colour, the mark, and the empty stage. Decorative: hidden from readers.
import type { ComponentChildren } from 'preact';

function Icon({ children }: { children: ComponentChildren }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      {children}
    </svg>
  );
}

export const DiceIcon = () => (
  <Icon>
    <rect x="4" y="4" width="16" height="16" rx="4" transform="rotate(-8 12 12)" />
    <circle class="dot" cx="8.7" cy="9.3" r="1.4" />
    <circle class="dot" cx="12" cy="12" r="1.4" />
    <circle class="dot" cx="15.3" cy="14.7" r="1.4" />
  </Icon>
);

export const LockIcon = ({ locked }: { locked: boolean }) => (
  <Icon>
    <path d={locked ? 'M8 11V8a4 4 0 0 1 8 0v3' : 'M8 11V7a4 4 0 0 1 7.6-1.7'} />
    <rect x="5.5" y="11" width="13" height="9" rx="2.5" />
    <path d="M12 14.6v1.8" />
  </Icon>
);

export const PlayIcon = () => (
  <Icon>
    <path class="solid" d="M8 5.6c0-.9 1-1.4 1.7-.9l8.4 6c.7.5.7 1.5 0 2l-8.4 6c-.7.5-1.7 0-1.7-.9z" />
  </Icon>
);

export const PauseIcon = () => (
  <Icon>
    <rect class="solid" x="7" y="5" width="3.4" height="14" rx="1.2" />
    <rect class="solid" x="13.6" y="5" width="3.4" height="14" rx="1.2" />
  </Icon>
);

export const PreviousIcon = () => (
  <Icon>
    <path d="m14.5 5.5-6.5 6.5 6.5 6.5" />
  </Icon>
);

export const NextIcon = () => (
  <Icon>
    <path d="m9.5 5.5 6.5 6.5-6.5 6.5" />
  </Icon>
);

export const DownloadIcon = () => (
  <Icon>
    <path d="M12 4v10.5M7.6 10.6 12 15l4.4-4.4M5 19.5h14" />
  </Icon>
);

export const ShareIcon = () => (
  <Icon>
    <path d="M12 14.5V4M8.3 7.6 12 4l3.7 3.6M8.5 10H6v9.5h12V10h-2.5" />
  </Icon>
);

export const PictureIcon = () => (
  <Icon>
    <path d="M5.5 4.5h9l4 4v11h-13zM14.5 4.5v4h4" />
    <path d="m7.5 17 3.2-4 2.4 2.6 1.4-1.4 2 2.8" />
  </Icon>
);

export const KeepIcon = () => (
  <Icon>
    <path d="M6 4.5h12v15l-6-4.2-6 4.2z" />
  </Icon>
);

export const LinkIcon = () => (
  <Icon>
    <path d="M10.2 13.8a3.6 3.6 0 0 0 5.1 0l3-3a3.6 3.6 0 0 0-5.1-5.1l-1 1" />
    <path d="M13.8 10.2a3.6 3.6 0 0 0-5.1 0l-3 3a3.6 3.6 0 0 0 5.1 5.1l1-1" />
  </Icon>
);

export const OpenIcon = () => (
  <Icon>
    <path d="M4 18.5V6.5A1.5 1.5 0 0 1 5.5 5h4l2 2.4h7A1.5 1.5 0 0 1 20 8.9v9.6z" />
    <path d="M12 16.5v-5.5M9.6 13.2 12 10.8l2.4 2.4" />
  </Icon>
);

export const PencilIcon = () => (
  <Icon>
    <path d="m5 19 1.1-4.3L16.2 4.6a1.9 1.9 0 0 1 2.7 0l.5.5a1.9 1.9 0 0 1 0 2.7L9.3 17.9z" />
    <path d="m14.4 6.4 3.2 3.2" />
  </Icon>
);

export const StopIcon = () => (
  <Icon>
    <rect class="solid" x="6.5" y="6.5" width="11" height="11" rx="2.5" />
  </Icon>
);

/** The mark: a small book whose front page is being let go. */
export const Mark = () => (
  <svg class="mark" viewBox="0 0 48 48" aria-hidden="true" focusable="false">
    <path class="back" d="M9 13h29a3 3 0 0 1 3 3v22a3 3 0 0 1-3 3H9z" />
    <path class="middle" d="M9 10h28a3 3 0 0 1 3 3v22a3 3 0 0 1-3 3H9z" />
    <path class="front" d="M9 7h21c4 0 8.5 6.5 8.5 12 0 9-6 16-12.5 16H9z" />
    <path class="curl" d="M38.5 19c-4 .6-8.5 1-10 4.5-1.6 3.7-.8 8.5-2.5 11.5" />
    <path class="spine" d="M9 5v38" />
    <circle class="ball" cx="19" cy="19" r="4.5" />
  </svg>
);

/** What the stage shows before the first clip: how a flip-book works. Clearly a drawing, never to be taken for a result. */
export const EmptyDrawing = () => (
  <svg class="sketch" viewBox="0 0 320 170" aria-hidden="true" focusable="false">
    <path class="ground" d="M22 146c52-3 90 2 140-1s88-2 136 1" />
    <g class="sheet">
      <path d="M28 60h44v58H28z" transform="rotate(-7 50 90)" />
      <path d="M92 40h44v58H92z" transform="rotate(-3 114 70)" />
      <path d="M158 30h44v58h-44z" transform="rotate(2 180 60)" />
      <path d="M224 44h44v58h-44z" transform="rotate(6 246 74)" />
    </g>
    <path class="path" d="M44 112c20-62 52-74 74-52 14 14 22 32 34 40 10-38 32-62 52-54 22 8 36 36 44 62" />
    <circle class="ball" cx="50" cy="98" r="8" />
    <circle class="ball" cx="113" cy="62" r="8" />
    <circle class="ball" cx="181" cy="56" r="8" />
    <circle class="ball big" cx="247" cy="88" r="8" />
  </svg>
);
