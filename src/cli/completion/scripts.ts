/** Each script asks the program itself, by `__complete`: it names no command, and need not be installed again with a new version. */

/** `name`: of the program on PATH. */
export const SHELL_SCRIPTS: Readonly<Record<'bash' | 'zsh' | 'fish', (name: string) => string>> = { bash, zsh, fish };

function functionName(name: string): string {
  return `_${name.replaceAll(/\W/g, '_')}`;
}

/** Runs in bash 3.2 as well, which macOS has. */
function bash(name: string): string {
  const complete = functionName(name);
  return `# bash completion for ${name}: source this file, or put it into a directory of bash-completion as "${name}".
${complete}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" directive=4 kind="" line
  [ "$current" = "=" ] && current=""
  COMPREPLY=()
  while IFS= read -r line; do
    case "$line" in
      :*) directive="\${line#:}" ;;
      *) COMPREPLY[\${#COMPREPLY[@]}]="\${line%%$'\\t'*}" ;;
    esac
  done < <("\${COMP_WORDS[0]}" __complete "\${COMP_WORDS[@]:1:$COMP_CWORD}" 2>/dev/null)
  case "$directive" in
    0) kind=-f ;;
    16) kind=-d ;;
    *) return 0 ;;
  esac
  compopt -o filenames 2>/dev/null
  while IFS= read -r line; do
    COMPREPLY[\${#COMPREPLY[@]}]="$line"
  done < <(compgen "$kind" -- "$current")
  return 0
}
complete -F ${complete} ${name}
`;
}

function zsh(name: string): string {
  const complete = functionName(name);
  return `#compdef ${name}
# zsh completion for ${name}: put this file into a directory of $fpath as "_${name}".
${complete}() {
  local -a candidates
  local directive=4 line value description
  while IFS= read -r line; do
    case "$line" in
      :*) directive="\${line#:}" ;;
      *)
        value="\${line%%$'\\t'*}"
        description="\${line#*$'\\t'}"
        candidates+=("\${value//:/\\\\:}\${description:+:$description}")
        ;;
    esac
  done < <("\${words[1]}" __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)
  case "$directive" in
    0) _files ;;
    16) _files -/ ;;
    *) (( \${#candidates} )) && _describe ${name} candidates ;;
  esac
}
if [ "\${funcstack[1]}" = "${complete}" ]; then ${complete} "$@"; else compdef ${complete} ${name}; fi
`;
}

function fish(name: string): string {
  const complete = `_${functionName(name)}`;
  return `# fish completion for ${name}: put this file into ~/.config/fish/completions as "${name}.fish".
function ${complete}
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  for line in ($words[1] __complete $words[2..-1] "$current" 2>/dev/null)
    switch $line
      case ':0'
        __fish_complete_path "$current"
      case ':16'
        __fish_complete_directories "$current"
      case ':*'
      case '*'
        echo $line
    end
  end
end
complete -c ${name} -f -a '(${complete})'
`;
}

/** What kubectl runs for a plugin's words, if it is on PATH as \`kubectl_complete-NAME\` and can be executed. */
export const KUBECTL_SCRIPT = `#!/bin/sh
# kubectl completion for the plugin: put this file into a directory of PATH as "kubectl_complete-basekeeper", executable.
exec kubectl basekeeper __complete "$@"
`;
