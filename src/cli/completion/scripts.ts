/**
 * The scripts of `sluice completion`. They know no commands themselves: they hand the words to `sluice complete`, so that
 * they need not be made anew when sluice is upgraded.
 */
import type { Shell } from "../commands/completion.ts";

/** The script for this shell. */
export function completionScript(shell: Shell): string {
  return scripts[shell];
}

const bash = `# bash completion for sluice: source <(sluice completion bash)
_sluice() {
  local IFS=$'\\n' line words=("\${COMP_WORDS[@]:1:COMP_CWORD}") prefix=""
  # Bash parts words at "=": put --option=value together again, and offer what stands behind the sign.
  if [[ \${COMP_CWORD} -ge 2 && \${COMP_WORDS[COMP_CWORD]} == "=" ]]; then
    words=("\${COMP_WORDS[@]:1:COMP_CWORD-2}" "\${COMP_WORDS[COMP_CWORD-1]}=")
    prefix="\${COMP_WORDS[COMP_CWORD-1]}="
  elif [[ \${COMP_CWORD} -ge 3 && \${COMP_WORDS[COMP_CWORD-1]} == "=" ]]; then
    words=("\${COMP_WORDS[@]:1:COMP_CWORD-3}" "\${COMP_WORDS[COMP_CWORD-2]}=\${COMP_WORDS[COMP_CWORD]}")
    prefix="\${COMP_WORDS[COMP_CWORD-2]}="
  fi
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == ":files" ]]; then
      compopt -o filenames
      while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "\${COMP_WORDS[COMP_CWORD]#=}")
      continue
    fi
    line=\${line%%$'\\t'*}
    [[ -n $line ]] && COMPREPLY+=("\${line#"$prefix"}")
  done < <(sluice complete -- "\${words[@]}" 2>/dev/null)
}
complete -F _sluice sluice
`;

const zsh = `#compdef sluice
# zsh completion for sluice: put it into a file _sluice in a directory of $fpath
_sluice() {
  local line
  local -a described
  while IFS= read -r line; do
    if [[ $line == ":files" ]]; then
      compset -P '--*='
      _files
      continue
    fi
    [[ -z $line ]] && continue
    local word=\${line%%$'\\t'*} text=""
    [[ $line == *$'\\t'* ]] && text=\${line#*$'\\t'}
    described+=("\${word//:/\\\\:}:$text")
  done < <(sluice complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  (( \${#described} )) && _describe -t words sluice described
}
if [[ $funcstack[1] == _sluice ]]; then _sluice "$@"; else compdef _sluice sluice; fi
`;

const fish = `# fish completion for sluice: sluice completion fish > ~/.config/fish/completions/sluice.fish
function __sluice_complete
    set -l words (commandline -opc)[2..-1]
    set -l unfinished (commandline -ct)
    for line in (sluice complete -- $words "$unfinished" 2>/dev/null)
        if test "$line" = ":files"
            set -l option (string match --regex -- '^--[^=]+=' "$unfinished")
            for path in (__fish_complete_path (string replace --regex -- '^--[^=]+=' '' "$unfinished"))
                echo "$option$path"
            end
        else if test -n "$line"
            echo $line
        end
    end
end
complete -c sluice -f -a "(__sluice_complete)"
`;

const scripts: Readonly<Record<Shell, string>> = { bash, zsh, fish };
