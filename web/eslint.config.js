import js from '@eslint/js';
import ts from 'typescript-eslint';

export default ts.config(
  { ignores: ['dist', 'src/generated', 'node_modules'] },
  js.configs.recommended,
  {
    files: ['src/**/*.{ts,tsx}'],
    extends: [...ts.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // Code points are what carriers and engines count.
      '@typescript-eslint/no-misused-spread': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { varsIgnorePattern: '^_' }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // Text is never interpreted as HTML.
      'no-restricted-syntax': [
        'error',
        { selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']", message: 'text is never interpreted as HTML' },
        { selector: "MemberExpression[property.name='innerHTML']", message: 'text is never interpreted as HTML' },
      ],
      'max-lines': ['error', 500],
      'max-lines-per-function': ['error', { max: 110, skipComments: true }],
    },
  },
  { files: ['src/**/*.test.ts'], rules: { 'max-lines-per-function': 'off', '@typescript-eslint/no-non-null-assertion': 'off' } },
  {
    files: ['scripts/**/*.mjs', 'stories/**/*.mjs', '*.{js,ts}'],
    languageOptions: {
      globals: Object.fromEntries(
        'process console Buffer fetch setTimeout performance document window URL getComputedStyle requestAnimationFrame localStorage sessionStorage location KeyboardEvent innerWidth URLSearchParams'
          .split(' ')
          .map((name) => [name, 'readonly']),
      ),
    },
  },
);
